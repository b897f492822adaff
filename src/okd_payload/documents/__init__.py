# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON files as typed values, with errors that point at file, line and field.

YAML is read with YAML 1.1 booleans and numbers, as the Go programs of the field read it, but
dates stay text and duplicate keys are refused. Size, depth and alias expansion are bounded,
because catalogs and payloads bring foreign files. Writing YAML is not done here: what people
write is edited as text.
"""

from okd_payload.documents.conversion import convert, unknown_fields
from okd_payload.documents.reading import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
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
