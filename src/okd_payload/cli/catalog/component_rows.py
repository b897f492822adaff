# SPDX-License-Identifier: Apache-2.0
"""Components as the commands about catalogs print them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

import msgspec

from okd_payload.catalog.component import Component, Origin, Sharing
from okd_payload.cli.output import describe_class, print_table
from okd_payload.source.model import GitSource

_INLINE = "(inline)"


class PrintedOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a definition stands."""

    file: str
    line: int


class PrintedComponent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One component, as ``-o json`` prints it."""

    name: str
    tag: str
    source: str
    """A URL or a folder; empty for an image made of other images only."""
    ref: str
    context: str
    dockerfile: str
    """Its path in the source; empty when it is inline."""
    sharing: Sharing | None
    sharing_reason: str
    origin: PrintedOrigin
    evidence: str = ""
    """How the definition was found, where it was imported."""


def describe_component(
    component: Component, *, evidence: str = "", origin: Origin | None = None
) -> PrintedComponent:
    """``component`` for programs."""
    source = component.source
    path = posixpath.join(component.context_directory, component.dockerfile_path)
    place = origin or component.origin
    return PrintedComponent(
        name=component.name,
        tag=component.tag,
        source=source.url if isinstance(source, GitSource) else str(source or ""),
        ref=source.ref if isinstance(source, GitSource) else "",
        context=component.context_directory,
        dockerfile="" if component.dockerfile is not None else posixpath.normpath(path),
        sharing=component.sharing,
        sharing_reason=component.sharing_reason,
        origin=PrintedOrigin(file=place.file, line=place.line),
        evidence=evidence,
    )


def print_components(components: Iterable[PrintedComponent]) -> None:
    """A table of ``components`` for people."""
    rows = [
        (
            each.name,
            each.tag,
            each.source or "-",
            each.ref or "-",
            each.dockerfile or _INLINE,
            describe_class(each.sharing.value if each.sharing else "", each.sharing_reason),
            f"{each.origin.file}:{each.origin.line}" if each.origin.line else each.origin.file,
        )
        for each in components
    ]
    columns = ("component", "tag", "source", "ref", "dockerfile", "class", "defined in")
    print_table(columns, rows)
