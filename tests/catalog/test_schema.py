# SPDX-License-Identifier: Apache-2.0
"""The published schemas and the reference page say what the types say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from okd_payload.catalog.component_file import ComponentFile
from okd_payload.catalog.load import load_catalog
from okd_payload.catalog.schema import schema_files, write_schemas
from okd_payload.catalog.stream import Stream
from okd_payload.documents import convert, parse_documents
from okd_payload.issues import Severity

_ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = _ROOT / "docs" / "reference"
_STREAMS = sorted((_ROOT / "examples").glob("*/stream.yaml"))


def _check(value: Any, kind: str) -> None:
    schema = json.loads(schema_files()[f"{kind}.schema.json"])
    jsonschema.Draft202012Validator(schema).validate(value)


def test_published_schemas_are_current(tmp_path: Path) -> None:
    """The copies for editors equal what the types give; write_schemas makes them so."""
    write_schemas(tmp_path)
    for name, text in schema_files().items():
        assert (_REFERENCE / name).read_text() == text == (tmp_path / name).read_text()


def test_schemas_refuse_what_reading_refuses() -> None:
    """Unknown fields and wrong values are errors for editors too."""
    for value in (
        {"name": "x"},
        {"name": "X", "catalog": [{}]},
        {"name": "x", "catalog": [{"a": 1}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            _check(value, "stream")
    with pytest.raises(jsonschema.ValidationError):
        _check({"buildArguments": {"A": 1}}, "component")


def _blocks(page: str) -> Iterator[str]:
    for block in page.split("```yaml\n")[1:]:
        yield block.partition("```")[0]


def test_examples_of_the_reference_page_are_valid() -> None:
    """Every example on the page reads, by the types and by the schemas."""
    blocks = list(_blocks((_REFERENCE / "stream-file.md").read_text()))
    assert len(blocks) == 4
    for block in blocks:
        (document,) = parse_documents(block.encode(), path="stream-file.md")
        kind, type_ = (
            ("stream", Stream) if "catalog" in document.value else ("component", ComponentFile)
        )
        convert(document, type_)
        _check(yaml.safe_load(block), kind)


def test_reference_page_names_every_field() -> None:
    """No field of the two kinds of file is missing from the page."""
    page = (_REFERENCE / "stream-file.md").read_text()
    for text in schema_files().values():
        for definition in json.loads(text)["$defs"].values():
            for field in definition.get("properties", {}):
                assert f"{field}:" in page or f"`{field}`" in page or f".{field}`" in page, field


@pytest.mark.parametrize("path", _STREAMS, ids=lambda path: path.parent.name)
def test_example_streams_are_valid(path: Path) -> None:
    """The streams that come with the product load without errors, and fit the schemas."""
    catalog = load_catalog(path)
    assert [issue for issue in catalog.issues if issue.severity is Severity.ERROR] == []
    _check(yaml.safe_load(path.read_text()), "stream")
    for component in catalog.components:
        _check(yaml.safe_load(Path(component.origin.file).read_text()), "component")
