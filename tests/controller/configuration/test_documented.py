# SPDX-License-Identifier: Apache-2.0
"""The page about release stream files says what the files may say, with examples that work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from okd_payload.controller.configuration.folder import load_streams

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"
HOW_TO = REFERENCE.parent / "how-to" / "run-a-release-controller.md"
PAGE = REFERENCE / "release-stream-file.md"
SECTIONS = {
    "The stream": "ReleaseStreamFile",
    "input": "InputFields",
    "mirror": "MirrorFields",
    "publishedAs": "PublishedFields",
    "verify": "VerificationFields",
    "upgradeFrom": "UpgradeFields",
    "publish": "PublishFields",
    "gate": "GateFields",
    "schedules": "ScheduleFields",
    "retention": "RetentionFields",
    "edges": "EdgeFields",
    "risk": "RiskFields",
}
"""The definitions of the schema, by the sections that describe them."""


def schema() -> dict[str, Any]:
    """The definitions of the published schema."""
    text = (REFERENCE / "release-stream.schema.json").read_bytes()
    definitions: dict[str, Any] = msgspec.json.decode(text)["$defs"]
    return definitions


def told(section: str) -> set[str]:
    """The fields in the table of a section."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_is_described(section: str) -> None:
    """In the section of its part, and no field besides."""
    assert told(section) == set(schema()[SECTIONS[section]]["properties"])


def test_every_part_has_a_section() -> None:
    """A part that is new in the schema gets one."""
    assert set(SECTIONS.values()) == {
        name for name, part in schema().items() if "properties" in part
    }


@pytest.mark.parametrize("page", [PAGE, HOW_TO], ids=lambda page: page.stem)
def test_the_examples_are_without_fault(tmp_path: Path, page: Path) -> None:
    """Each is a stream that a controller takes, but for kustomizations and parts of them."""
    found = re.findall(r"^( *)```yaml\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
    others = re.compile(r"^kind: Kustomization$|^components:$", re.MULTILINE)
    blocks = [block for block in found if not others.search(block[1])]
    for number, (indent, text) in enumerate(blocks):
        plain = re.sub(f"^{indent}", "", text, flags=re.MULTILINE)
        (tmp_path / f"{number}.yaml").write_text(plain, encoding="utf-8")
    loaded = load_streams(tmp_path)
    assert loaded.issues == ()
    assert len(loaded.streams) == len(blocks) > 0
