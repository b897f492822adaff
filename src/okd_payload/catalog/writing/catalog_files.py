# SPDX-License-Identifier: Apache-2.0
"""A whole catalog as files: one for the stream, one for each component.

Nothing is written to the disk here: files are values, so that an existing catalog can be compared
with them first. What no file can say is an issue, and left out.
"""

from __future__ import annotations

import msgspec

from okd_payload.catalog.checks import drop_duplicate_names, drop_duplicate_tags
from okd_payload.catalog.component import Origin
from okd_payload.catalog.stream import Stream
from okd_payload.catalog.writing import codes
from okd_payload.catalog.writing.component_text import Inexpressible, write_component
from okd_payload.catalog.writing.defaults import choose_defaults, keep_defaults
from okd_payload.catalog.writing.model import CatalogFile, ImportedCatalog
from okd_payload.catalog.writing.stream_text import describe_import, write_stream
from okd_payload.errors import InputError
from okd_payload.issues import Issue


class CatalogFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files, the stream file first, and what could not be written."""

    stream: CatalogFile
    components: tuple[CatalogFile, ...]
    issues: tuple[Issue, ...] = ()

    @property
    def all(self) -> tuple[CatalogFile, ...]:
        """Every file."""
        return (self.stream, *self.components)


def write_catalog(imported: ImportedCatalog, *, existing: Stream | None = None) -> CatalogFiles:
    """The files of ``imported``; the same for the same catalog.

    With the ``existing`` stream file, component files say what that one leaves open. Raises
    InputError when the name of the stream cannot be one.
    """
    definitions, issues = drop_duplicate_names(imported.definitions)
    built, imports, duplicates = drop_duplicate_tags(
        [each.component for each in definitions], imported.imports
    )
    issues += duplicates
    names = {component.name for component in built}
    definitions = [each for each in definitions if each.component.name in names]
    if existing:
        defaults = keep_defaults(existing, definitions, branch=imported.branch)
    else:
        defaults = choose_defaults(definitions, branch=imported.branch)
    files = []
    for definition in definitions:
        name = definition.component.name
        evidence = imported.evidence.get(name, "")
        comment = tuple(evidence.splitlines())
        try:
            files.append(write_component(definition, defaults, comment=comment))
        except Inexpressible as error:
            issues.append(_inexpressible(error, name, definition.component.origin))
    written = []
    for entry in imports:
        try:
            describe_import(entry)
            written.append(entry)
        except Inexpressible as error:
            issues.append(_inexpressible(error, entry.name, entry.origin))
    try:
        stream = write_stream(msgspec.structs.replace(imported, imports=tuple(written)), defaults)
    except msgspec.ValidationError as error:
        raise InputError(
            f"no stream file can be written: {error}", hint="choose another name with --name"
        ) from error
    return CatalogFiles(stream=stream, components=tuple(files), issues=tuple(issues))


def _inexpressible(error: Inexpressible, name: str, origin: Origin) -> Issue:
    return codes.INEXPRESSIBLE_DEFINITION.issue(
        str(error), component=name, file=origin.file, line=origin.line
    )
