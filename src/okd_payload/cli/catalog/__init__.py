# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog``: what streams are made of, read, checked and kept in step."""

from __future__ import annotations

from okd_payload.cli.lazy_group import LazyGroup

_COMMANDS = {
    "import": "Make a catalog out of another one, or out of a release.",
    "show": "List the components that form a stream.",
    "lint": "Find everything that is wrong between definitions, overlays and pipelines.",
    "branch": "Show who has a branch, and let the stream follow it.",
    "sync": "Compare the catalog with a release, and bring it in step.",
}
"""What the list of commands says of each, in the order of a stream's life."""

catalog = LazyGroup(
    "catalog",
    modules={name: f"okd_payload.cli.catalog.{name}:{name}" for name in _COMMANDS}
    | {"import": "okd_payload.cli.catalog.importing:import_catalog"},
    summaries=_COMMANDS,
    help="Read, check and keep in step what streams are made of.",
)
