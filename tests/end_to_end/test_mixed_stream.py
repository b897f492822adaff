# SPDX-License-Identifier: Apache-2.0
"""A stream that begins with a published release: most images are taken, few are built (R90)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from real_program import EXAMPLE, Built, Program

pytestmark = pytest.mark.integration

SPECIFIC = ("cluster-version-operator", "coredns")
"""Built for this stream; everything else is shared."""


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """The example with classes, under another name, and nothing that it was built from before."""
    folder = shutil.copytree(EXAMPLE, tmp_path / "mixed")
    for path in (folder / "components").iterdir():
        kind = "specific" if path.stem in SPECIFIC else "shared"
        if path.stem not in ("base", "builder", "haproxy-router-base"):
            text = path.read_text() + f"sharing: {{kind: {kind}, reason: decided by a test}}\n"
            path.write_text(text)
    stream = folder / "stream.yaml"
    stream.write_text(stream.read_text().replace("name: quickstart", "name: mixed"))
    source = folder / "sources" / "coredns"
    with (source / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("LABEL io.k8s.description=mixed\n")
    return folder


def begin_with(stream: Path, release: str) -> None:
    """Let ``stream`` begin with ``release``."""
    path = stream / "stream.yaml"
    path.write_text(path.read_text() + f"\nbootstrap:\n  release: {release}\n")


def check(printed: dict[str, Any], built: Built) -> None:
    """The payload has every image of the first one, the shared ones by the same digests."""
    before = {each["name"]: each["reference"] for each in built.printed["release"]["images"]}
    after = {each["name"]: each["reference"] for each in printed["release"]["images"]}
    assert set(after) == set(before)
    records = {each["name"]: each for each in printed["components"]}
    for name, reference in after.items():
        same = reference.partition("@")[2] == before[name].partition("@")[2]
        if name == "coredns":
            assert not same
            assert (records[name]["action"], records[name]["sharing"]) == ("built", "specific")
        elif name in ("network-tools", *SPECIFIC):
            assert records[name]["action"] in ("stub", "built")
        else:
            assert same, name
            assert (records[name]["action"], records[name]["sharing"]) == ("imported", "shared")
            assert records[name]["sharing_reason"].startswith("decided by a test; taken from")


def test_from_a_layout_to_a_checked_release(
    built: Built, program: Program, mixed: Path, tmp_path: Path
) -> None:
    """Taken by digest, built where it is specific, assembled, linted; the lock has the release."""
    name = built.printed["release"]["name"]
    begin_with(mixed, f"oci:{built.program.releases()}:{name}")
    planned = program.run("plan", mixed)
    assert planned.code == 0, planned.err
    assert "CLASS" in planned.out
    printed = program.build(mixed, "--report", tmp_path / "report")
    check(printed, built)
    assert "decided by a test; taken from" in (tmp_path / "report" / "report.html").read_text()
    made = f"oci:{program.releases('mixed')}:{printed['release']['name']}"
    linted = program.run("release", "lint", made, "--fail-on", "error")
    assert linted.code == 0, linted.out + linted.err
    locked = program.run("lock", mixed)
    assert locked.code == 0, locked.err
    assert built.printed["release"]["digest"] in (mixed / "stream.lock").read_text()


def test_from_a_registry_by_the_lock(
    resumed: Program, quickstart: Path, mixed: Path, docker_registry: str, tmp_path: Path
) -> None:
    """What the tag means later does not matter: the lock has the digest that it meant."""
    path = quickstart / "stream.yaml"
    path.write_text(path.read_text().replace("registry.example.org", docker_registry))
    first = Built(resumed, quickstart)
    published = resumed.run("publish", quickstart, first.printed["release"]["name"])
    assert published.code == 0, published.err
    begin = f"{docker_registry}/quickstart/release:begin"
    copied = resumed.run("copy", first.printed["release"]["reference"], begin)
    assert copied.code == 0, copied.err
    begin_with(mixed, begin)
    other = Program(tmp_path / "other")
    locked = other.run("lock", mixed)
    assert locked.code == 0, locked.err
    moved = resumed.run("copy", first.printed["release"]["images"][0]["reference"], begin)
    assert moved.code == 0, moved.err
    check(other.build(mixed, "--lock", mixed / "stream.lock"), first)
    assert "is an ordinary image" in other.run("plan", mixed).err


def test_the_catalog_is_the_payload(built: Built, tmp_path: Path) -> None:
    """The list of a stream equals that of the release it made; what it lacks is noticed (R47)."""
    release = f"oci:{built.program.releases()}:{built.printed['release']['name']}"
    command = ("catalog", "sync", "--release", release, "--check")
    checked = built.program.run(*command, built.stream)
    assert checked.code == 0, checked.err
    assert "in step" in checked.out
    assert "built for others only: base, builder, haproxy-router-base, root" in checked.out
    assert "network-tools is a stub: debugging tools need more than busybox" in checked.out
    less = shutil.copytree(built.stream, tmp_path / "less")
    (less / "components" / "coredns.yaml").unlink()
    lacking = built.program.run(*command, less, "-o", "json")
    assert lacking.code == 1, lacking.err
    assert '"tag": "coredns"' in lacking.out
