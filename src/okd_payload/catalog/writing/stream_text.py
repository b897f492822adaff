# SPDX-License-Identifier: Apache-2.0
"""The stream file of a catalog that was imported, commented for whoever goes on with it.

Only what differs from the defaults is written, and read back as a stream file before it counts. An
image that a command makes is refused: the command is not part of what was imported.
"""

from __future__ import annotations

import msgspec

from okd_payload.catalog.definition import Import, OtherTag, PulledImage
from okd_payload.catalog.load import STREAM_FILE
from okd_payload.catalog.stream import (
    CatalogSource,
    Git,
    ImportEntry,
    Release,
    Stream,
)
from okd_payload.catalog.writing.component_text import COMPONENTS, Inexpressible, write_resources
from okd_payload.catalog.writing.defaults import StreamDefaults
from okd_payload.catalog.writing.model import CatalogFile, ImportedCatalog
from okd_payload.catalog.writing.yaml_text import (
    as_written,
    write_comment,
    write_scalar,
    write_yaml,
)

_COMMENTS = {
    "catalog": "One file for each image.",
    "git": "Where sources are: the branch of all, and who has another one.",
    "resources": "What one build asks for, unless its component says otherwise.",
    "substitutions": "What references to images of others mean; the first rule that fits counts.",
    "imports": "Tags that are not built from a source.",
    "release": "How releases are named.",
}


def write_stream(imported: ImportedCatalog, defaults: StreamDefaults) -> CatalogFile:
    """The stream file of ``imported``. Raises ValidationError of msgspec for an unusable name."""
    value = as_written(_describe(imported, defaults))
    msgspec.convert(value, Stream)
    parts = [write_comment(imported.came_from)]
    for field, content in value.items():
        comment = _COMMENTS.get(field)
        text = write_yaml({field: content})
        if field == "git":
            text = _write_git(defaults, imported.ref_reasons)
        parts.append(("\n" + write_comment([comment]) if comment else "") + text)
    return CatalogFile(path=STREAM_FILE, value=value, text="".join(parts))


def describe_import(entry: Import) -> ImportEntry:
    """``entry`` as stream files write it. Raises Inexpressible."""
    try:
        if isinstance(entry.content, PulledImage):
            return ImportEntry(image=entry.content.pull_spec, stub=entry.stub)
        if isinstance(entry.content, OtherTag):
            return ImportEntry(tag=entry.content.tag, stub=entry.stub)
    except ValueError as error:
        raise Inexpressible(str(error)) from error
    raise Inexpressible("the image of a command stays in the stream file that runs it")


def describe_git(defaults: StreamDefaults) -> Git:
    """Where the sources are."""
    return Git(branch=defaults.branch, exceptions=defaults.exceptions)


def _describe(imported: ImportedCatalog, defaults: StreamDefaults) -> Stream:
    return Stream(
        name=imported.stream,
        catalog=(CatalogSource(components=COMPONENTS),),
        git=describe_git(defaults),
        resources=write_resources(defaults.resources),
        layering=defaults.layering,
        substitutions=imported.substitutions,
        imports={
            entry.name: describe_import(entry)
            for entry in sorted(imported.imports, key=lambda entry: entry.name)
        },
        release=Release(version=imported.version) if imported.version else Release(),
    )


def _write_git(defaults: StreamDefaults, reasons: dict[str, str]) -> str:
    """The branch and its exceptions, each with its reason beside it."""
    lines = ["git:"]
    if defaults.branch:
        lines.append(f"  branch: {write_scalar(defaults.branch)}")
    if defaults.exceptions:
        lines.append("  exceptions:")
    for name, ref in defaults.exceptions.items():
        reason = " ".join(reasons.get(name, "").split())
        beside = f"  # {reason}" if reason else ""
        lines.append(f"    {write_scalar(name)}: {write_scalar(ref)}{beside}")
    return "\n".join(lines) + "\n"
