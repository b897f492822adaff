# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of the two kinds of file that users write, for their editors.

They are made from the types that read the files, so they cannot say anything else. The copies
in ``docs/reference`` are what editors load; a test keeps them equal.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import msgspec

from okd_payload.catalog.component_file import ComponentFile
from okd_payload.catalog.stream import Stream

_KINDS: dict[str, type] = {"stream": Stream, "component": ComponentFile}


def schema_files() -> dict[str, str]:
    """The text of each schema file, by file name."""
    return {f"{kind}.schema.json": schema_of(type_) for kind, type_ in _KINDS.items()}


def write_schemas(folder: Path) -> None:
    """Write the schema files into ``folder``, which the documentation keeps."""
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")


def schema_of(kind: type) -> str:
    """The JSON Schema of files that are read as ``kind``."""
    described = msgspec.json.schema(kind)
    for definition in described["$defs"].values():
        if "description" in definition:  # which Python takes the indent from since 3.13 only
            definition["description"] = inspect.cleandoc(definition["description"])
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
