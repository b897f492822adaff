# SPDX-License-Identifier: Apache-2.0
"""The go command builds what was changed: its rules for vendored copies are met to the letter."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from impact_rig import API, CONFIG, ROUTE, Rig, program

from okd_payload.build.impact.prepare import Prepared
from okd_payload.testing.go_forge import go_component, go_library

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here (golang-go)"),
]

EMBEDDING = """\
package route

import (
	_ "embed"

	"github.com/openshift/api/names"
)

//go:embed files/host.txt
var text string

// Host is asked for.
func Host() string { return text + names.One }
"""
CHANGE = {
    "config/config.go": CONFIG.replace('"config"', '"changed"'),
    "config/ignored.go": '//go:build ignore\n\npackage main\n\nimport _ "example.com/tool"\n',
    "route/route.go": EMBEDDING,
    "route/files/host.txt": "embedded ",
    "names/names.go": 'package names\n\nconst One = "one"\n',
    "go.mod": f"module {API}\n\ngo 1.18\n",
}


async def run_program(rig: Rig, prepared: Prepared, name: str, folder: Path, *flags: str) -> str:
    """What the program ``name`` prints, built as a Dockerfile would build it."""
    locked = prepared.altered[name]
    await rig.sources.check_out(locked.source, locked.commit, folder)
    return await asyncio.to_thread(build_and_run, folder, *flags)


def build_and_run(folder: Path, *flags: str) -> str:
    """Build the program in ``folder`` without a network, and run it."""
    environment = {
        **os.environ,
        "GOPROXY": "off",
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "GOCACHE": str(folder.parent / "go-cache"),
        "GOPATH": str(folder.parent / "go"),
        "CGO_ENABLED": "0",
    }
    subprocess.run(
        ["go", "build", *flags, "-o", "program", "."],
        cwd=folder,
        check=True,
        env=environment,
        capture_output=True,
        text=True,
    )
    done = subprocess.run([folder / "program"], check=True, capture_output=True, text=True)
    return done.stderr.strip()


@pytest.fixture
def ref(rig: Rig) -> str:
    """A pull request that changes contents, language version, imports and embedded files."""
    return rig.api.propose(7, CHANGE)


@pytest.mark.slow
async def test_copies_are_built_with_the_change(rig: Rig, ref: str, tmp_path: Path):
    """``go build -mod=vendor`` finds no inconsistency, and the program is another one."""
    prepared = await rig.prepare(f"openshift/api@{ref}")
    flags = ("-mod=vendor", "-trimpath")
    changed = await run_program(rig, prepared, "etcd-operator", tmp_path / "etcd", *flags)
    assert changed == "changed"
    embedded = await run_program(rig, prepared, "router", tmp_path / "router", *flags)
    assert embedded == "embedded one"


@pytest.mark.slow
@pytest.mark.parametrize("go", ["1.13", "1.16", "1.17"])
@pytest.mark.parametrize(
    "replacement",
    ["", f"{API} => {API} v0.0.9", f"{API} v0.0.1 => {API} v0.0.9"],
    ids=["plain", "replaced", "replaced at this version"],
)
async def test_every_way_to_require_a_library_is_met(
    rig: Rig, ref: str, tmp_path: Path, go: str, replacement: str
):
    """Whatever the version of the main module, and however the library was replaced before."""
    listed = "## explicit\n" if go != "1.13" else ""
    arrow = " => " + replacement.partition(" => ")[2] if replacement else ""
    trailing = f"# {replacement}\n" if replacement and " v0.0.1 " not in replacement else ""
    files = go_component("example.com/m", program(f"{API}/config", call="config.Name()"), [])
    files |= {
        "go.mod": f"module example.com/m\n\ngo {go}\n\nrequire {API} v0.0.1\n"
        + (f"\nreplace (\n\t{replacement}\n)\n" if replacement else ""),
        "vendor/modules.txt": f"# {API} v0.0.1{arrow}\n{listed}{API}/config\n{trailing}",
        f"vendor/{API}/config/config.go": CONFIG,
    }
    rig.add("m", files)
    prepared = await rig.prepare(f"openshift/api@{ref}", only=["m"])
    printed = await run_program(rig, prepared, "m", tmp_path / "m", "-mod=vendor")
    assert printed == "changed"


@pytest.mark.slow
async def test_a_module_with_a_major_version_is_built(rig: Rig, tmp_path: Path):
    """Its path ends in /v2, and so does every version that stands for a commit."""
    library = rig.forge.repository("openshift/lib")
    module = "github.com/openshift/lib/v2"
    library.commit(go_library(module, {"config": CONFIG, "route": ROUTE}))
    files = go_component("example.com/m", program(f"{module}/config", call="config.Name()"), [])
    files |= {
        "go.mod": f"module example.com/m\n\ngo 1.19\n\nrequire {module} v2.1.0\n",
        "vendor/modules.txt": f"# {module} v2.1.0\n## explicit; go 1.19\n{module}/config\n",
        f"vendor/{module}/config/config.go": CONFIG,
    }
    rig.add("m", files)
    ref = library.propose(1, {"config/config.go": CONFIG.replace('"config"', '"two"')})
    prepared = await rig.prepare(f"openshift/lib@{ref}")
    printed = await run_program(rig, prepared, "m", tmp_path / "m", "-mod=vendor")
    assert printed == "two"


@pytest.mark.slow
async def test_a_component_without_copies_is_built_with_the_folder(
    rig: Rig, ref: str, tmp_path: Path
):
    """Nothing of the library is fetched."""
    program_text = program(f"{API}/route", call="route.Host()")
    files = {
        "main.go": program_text,
        "go.mod": f"module example.com/m\n\ngo 1.19\n\nrequire {API} v0.0.1\n",
    }
    rig.add("m", files)
    prepared = await rig.prepare(f"openshift/api@{ref}", only=["m"])
    assert await run_program(rig, prepared, "m", tmp_path / "m") == "embedded one"
