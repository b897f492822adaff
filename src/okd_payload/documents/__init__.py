# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON files as typed values, with errors that point at file, line and field.

YAML is read with YAML 1.1 booleans and numbers, as the Go programs of the field read it, but
dates stay text and duplicate keys are refused. Size, depth and alias expansion are bounded,
because catalogs and payloads bring foreign files. Writing YAML is not done here: what people
write is edited as text.

libyaml's binding takes a tenth of the time in which a small command ends, so it is loaded when a
document is read and not before; the bounds are there at once.
"""

from typing import TYPE_CHECKING

from okd_payload.documents.bounds import MAX_BYTES, MAX_DEPTH, MAX_NODES

if TYPE_CHECKING:
    from okd_payload.documents.conversion import convert, unknown_fields
    from okd_payload.documents.reading import (
        BoundedLoader,
        Document,
        FieldPath,
        invalid_field,
        parse_documents,
        read_documents,
    )

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "BoundedLoader",
    "Document",
    "FieldPath",
    "convert",
    "invalid_field",
    "parse_documents",
    "read_documents",
    "unknown_fields",
]

_OF_CONVERSION = frozenset({"convert", "unknown_fields"})


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from okd_payload.documents import conversion, reading

    return getattr(conversion if name in _OF_CONVERSION else reading, name)
