# SPDX-License-Identifier: Apache-2.0
"""A catalog on its way from another form into ours."""

from __future__ import annotations

import msgspec

from okd_payload.catalog.definition import Definition, Import
from okd_payload.catalog.substitution import Substitution


class ImportedCatalog(msgspec.Struct, frozen=True, kw_only=True):
    """Definitions from elsewhere, and what a stream file has to say so that they mean the same."""

    stream: str
    """The name of the stream."""
    came_from: tuple[str, ...]
    """For whoever reads the files: where all this came from, and how to get it anew."""
    definitions: tuple[Definition, ...]
    imports: tuple[Import, ...] = ()
    substitutions: tuple[Substitution, ...] = ()
    branch: str = ""
    """The ref of most sources; empty lets them decide."""
    version: str = ""
    """What releases of the stream are called after; empty leaves it open."""
    evidence: dict[str, str] = {}
    """By component: how its definition was found, for its file."""
    ref_reasons: dict[str, str] = {}
    """By component: why its ref is not that of the others, for the stream file."""


class CatalogFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a catalog: what it says, and the text that says it."""

    path: str
    """Relative to the folder of the catalog."""
    value: dict[str, object]
    text: str
