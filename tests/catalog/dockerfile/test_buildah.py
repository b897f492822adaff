# SPDX-License-Identifier: Apache-2.0
"""The real buildah reads out of a rewritten Dockerfile exactly what was put in."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from okd_payload.catalog.component import Argument, Component, Origin
from okd_payload.catalog.dockerfile import parse_dockerfile, rewrite

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("buildah") is None, reason="buildah is not installed"),
]

_VALUES = (
    "plain",
    "",
    " two  words ",
    "a \"b\" $C ${D} \\ \\n `x` 'q' # end\\",
    'only "',
    "`",
    "a=b,c;d|e&f<g>h(i)*?~!",
    "größer 漢字",
)


def _build(text: str, folder: Path) -> dict[str, Any]:
    """The config of the image that buildah makes of ``text``."""
    (folder / "context").mkdir()
    (folder / "context" / "Dockerfile").write_text(text)
    buildah = ["buildah", "--root", str(folder / "root"), "--runroot", str(folder / "run")]
    buildah += ["--storage-driver", "vfs"]
    build = [*buildah, "build", "-q", "--layers=false", str(folder / "context")]
    image = subprocess.run(build, check=True, capture_output=True, text=True).stdout.strip()
    inspect = [*buildah, "inspect", "--type", "image", image]
    output = subprocess.run(inspect, check=True, capture_output=True, text=True).stdout
    config: dict[str, Any] = json.loads(output)["OCIv1"]["config"]
    return config


@pytest.mark.parametrize("directive", ["", "# escape=`\n"])
def test_values_survive(tmp_path: Path, directive: str) -> None:
    """Environment, build information and labels arrive unchanged, whatever is in them."""
    environment = tuple(Argument(f"E{number}", value) for number, value in enumerate(_VALUES))
    information = tuple(Argument(f"B{number}", value) for number, value in enumerate(_VALUES))
    labels = tuple(Argument(f"io.x/{number}", value) for number, value in enumerate(_VALUES))
    component = Component(name="c", tag="c", origin=Origin("c"), environment=environment)
    dockerfile = parse_dockerfile(f"{directive}FROM scratch AS x\nUSER 1", path="D")
    text = rewrite(dockerfile, component, build_environment=information, labels=labels).text
    config = _build(text, tmp_path)
    found = dict(line.split("=", 1) for line in config["Env"])
    assert {each.name: found[each.name] for each in (*environment, *information)} == {
        each.name: each.value for each in (*environment, *information)
    }
    assert {each.name: config["Labels"][each.name] for each in labels} == {
        each.name: each.value for each in labels
    }


def test_what_follows_an_open_end(tmp_path: Path) -> None:
    """What is appended holds although the last instruction of the file would go on."""
    component = Component(name="c", tag="c", origin=Origin("c"))
    dockerfile = parse_dockerfile("FROM scratch\nENV A=1 \\\n# why\n", path="D")
    text = rewrite(dockerfile, component, labels=(Argument("l", "v"),)).text
    assert _build(text, tmp_path)["Labels"]["l"] == "v"
