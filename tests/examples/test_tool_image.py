# SPDX-License-Identifier: Apache-2.0
"""The definition of the tool's image fits the rest of the repository."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from okd_payload.catalog.load import load_catalog
from okd_payload.engines.pod.security import TOOL_USER

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "images" / "okd-payload"
REQUIREMENTS = ROOT / "requirements"
PINS = REQUIREMENTS / "image.txt"
SERVE_PINS = REQUIREMENTS / "image-serve.txt"


def pins_of(path: Path) -> dict[str, str]:
    """The pinned versions, by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", [PINS, SERVE_PINS], ids=lambda path: path.stem)
def test_the_pins_of_the_images_are_those_of_development(path: Path) -> None:
    """Where both have a package; hashes everywhere, no marker, no address of a server."""
    text = path.read_text()
    pins, known = pins_of(path), pins_of(REQUIREMENTS / "development.txt")
    assert pins == {name: known[name] for name in pins}
    assert not re.search(r"://|--(extra-)?index|--find-links|file:| ; ", text)
    assert len(re.findall(r"^\S+==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)) == len(pins)


def test_other_pins_are_another_import() -> None:
    """The stream file has the hash of the pins; `make pins` writes it."""
    stream = yaml.safe_load((IMAGE / "stream.yaml").read_text())
    (_, named) = stream["imports"]["packages"]["command"]
    assert named == hashlib.sha256(PINS.read_bytes()).hexdigest()
    (_, named, file) = stream["imports"]["serve-packages"]["command"]
    assert named == hashlib.sha256((REQUIREMENTS / file).read_bytes()).hexdigest()


def test_the_server_adds_what_its_extra_names() -> None:
    """Every package of the extra is there, and none twice."""
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = {re.split(r"[\[>=]", line)[0] for line in extra["serve"]}
    pins, others = pins_of(SERVE_PINS), pins_of(PINS)
    assert wanted <= set(pins) | set(others)
    assert not set(pins) & set(others)


def test_the_definition_has_no_issue_and_makes_no_release() -> None:
    """It is a stream like any other."""
    catalog = load_catalog(IMAGE / "stream.yaml")
    assert catalog.issues == ()
    assert catalog.stream.release.skip
    assert [component.name for component in catalog.components] == [
        "okd-payload",
        "okd-payload-serve",
    ]


def test_the_user_of_build_pods_has_ids_for_every_owner() -> None:
    """With its own, 0 to 65534: what images have, and what a pod with user namespace has."""
    dockerfile = (IMAGE / "Dockerfile").read_text()
    assert f"USER {TOOL_USER}:{TOOL_USER}" in dockerfile
    for name in ("subuid", "subgid"):
        lines = (IMAGE / "etc" / name).read_text().split()
        ranges = [line.split(":")[1:] for line in lines if line.startswith("okd-payload:")]
        ids = {TOOL_USER}
        for first, count in ranges:
            ids |= set(range(int(first), int(first) + int(count)))
        assert len(ids) == 65535
        assert max(ids) == 65535
        assert 0 not in ids
