# SPDX-License-Identifier: Apache-2.0
"""The catalog: everything a stream is made of, as one value."""

from __future__ import annotations

import functools

import msgspec

from okd_payload.catalog.component import Component, Origin
from okd_payload.catalog.definition import Import
from okd_payload.catalog.stream import Stream
from okd_payload.errors import UnknownName
from okd_payload.issues import Issue


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A component that the stream leaves out, and why."""

    name: str
    tag: str
    reason: str
    origin: Origin


class Catalog(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A stream with its components and imports, all sorted by name.

    Tags are unique among ``components`` and ``imports``. ``issues`` are as found: permits of
    the stream are not applied yet.
    """

    path: str
    """The stream file."""
    stream: Stream
    components: tuple[Component, ...]
    imports: tuple[Import, ...] = ()
    """Tags of the stream that are not built."""
    foreign_imports: tuple[Import, ...] = ()
    """Tags of other image streams, which definitions name ``STREAM:TAG``."""
    skipped: tuple[Skipped, ...] = ()
    issues: tuple[Issue, ...] = ()

    @functools.cached_property
    def tags(self) -> dict[str, Component | Import]:
        """Every tag of the stream, and what makes its image."""
        built: dict[str, Component | Import] = {each.tag: each for each in self.components}
        return built | {each.name: each for each in self.imports}

    @functools.cached_property
    def by_name(self) -> dict[str, Component]:
        """Every component by its name."""
        return {each.name: each for each in self.components}

    @functools.cached_property
    def wanted_tags(self) -> frozenset[str]:
        """The tags of a whole stream: what only builders are built like is made when needed."""
        like = {image.definition for image in self.stream.builders.images}
        return frozenset(self.tags) - {each.tag for each in self.components if each.name in like}

    @functools.cached_property
    def foreign_tags(self) -> dict[str, Import]:
        """Every name of another image stream, and what its image is."""
        return {each.name: each for each in self.foreign_imports}

    def component(self, name: str) -> Component:
        """The component called ``name``, or the one with that tag. Raises UnknownName."""
        for component in self.components:
            if name in (component.name, component.tag):
                return component
        reasons = {item.name: item.reason for item in self.skipped}
        hint = f"the stream leaves it out: {reasons[name]}" if name in reasons else ""
        known = [component.name for component in self.components]
        raise UnknownName("component", name, known=() if hint else known, hint=hint)
