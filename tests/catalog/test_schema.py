# SPDX-License-Identifier: Apache-2.0
"""The published schemas and the reference page say what the types say."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.component_file import ComponentFile
from okd_payload.catalog.load import load_catalog
from okd_payload.catalog.schema import schema_files, write_schemas
from okd_payload.catalog.stream import Stream
from okd_payload.documents import convert, parse_documents
from okd_payload.errors import InvalidDocument
from okd_payload.issues import Severity

_ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = _ROOT / "docs" / "reference"
_PAGE = _REFERENCE / "stream-file.md"
_STREAMS = sorted((_ROOT / "examples").glob("*/stream.yaml"))


@functools.cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema_files()[f"{kind}.schema.json"]))


def _check(value: Any, kind: str) -> None:
    _validator(kind).validate(value)


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
    blocks = list(_blocks(_PAGE.read_text()))
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
    page = _PAGE.read_text()
    for text in schema_files().values():
        for definition in json.loads(text)["$defs"].values():
            for field in definition.get("properties", {}):
                assert f"{field}:" in page or f"`{field}`" in page or f".{field}`" in page, field


_EXAMPLE = yaml.safe_load(next(block for block in _blocks(_PAGE.read_text()) if "git:" in block))
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["base", "a=b", "*", "(", "{1}", "{version}", "quay.io/a/b:1", "../x", "4Gi"]),
    st.builds(list),
    st.builds(dict),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


@st.composite
def _damaged_streams(draw: st.DrawFn) -> Any:
    """The example with one value somewhere replaced, taken away or added."""
    stream = copy.deepcopy(_EXAMPLE)
    place = stream
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.booleans()):
            break
        place = place[key]
    match draw(st.sampled_from(["replace", "remove", "add"])):
        case "remove":
            del place[key]
        case "add" if isinstance(place, dict):
            place[draw(st.text(min_size=1, max_size=5))] = draw(_VALUES)
        case _:
            place[key] = draw(_VALUES)
    return stream


def _error_of(text: str) -> InvalidDocument | None:
    try:
        (document,) = parse_documents(text.encode(), path="stream.yaml")
        convert(document, Stream)
    except InvalidDocument as error:
        return error
    return None


@given(_damaged_streams())
def test_any_stream_file_reads_or_says_where_it_is_wrong(stream: Any) -> None:
    """Damage is an error with a line, or harmless; what reads is valid by the schema too."""
    error = _error_of(yaml.safe_dump(stream, allow_unicode=True))
    if error is None:
        _check(stream, "stream")
    else:
        assert error.line > 0


@pytest.mark.parametrize("path", _STREAMS, ids=lambda path: path.parent.name)
def test_example_streams_are_valid(path: Path) -> None:
    """The streams that come with the product load without errors, and fit the schemas."""
    catalog = load_catalog(path)
    assert [issue for issue in catalog.issues if issue.severity is Severity.ERROR] == []
    _check(yaml.safe_load(path.read_text()), "stream")
    for component in catalog.components:
        text = Path(component.origin.file).read_text()
        _check(yaml.load(text, Loader=yaml.CSafeLoader), "component")
