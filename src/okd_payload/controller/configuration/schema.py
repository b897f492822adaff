# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of release stream files, made from the type that reads them."""

from __future__ import annotations

from okd_payload.catalog.schema import schema_of
from okd_payload.controller.configuration.written import ReleaseStreamFile

SCHEMA_FILE = "release-stream.schema.json"


def make_schema() -> str:
    """The text of the schema, of which ``docs/reference`` keeps a copy for editors."""
    return schema_of(ReleaseStreamFile)
