# SPDX-License-Identifier: Apache-2.0
"""The section ``builders`` of a stream file: which builders there are, and who may stand in.

What versions a builder differs by is not fixed: ``go``, ``node`` and ``os`` have rules of their
own, and a stream may add what it needs, such as ``rust``.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from okd_payload.catalog.builders.patterns import axes_in
from okd_payload.catalog.fields import Name, Tag, VariableName, Written, whole

Axis = Annotated[
    str, Meta(pattern=whole(r"[a-z][a-z0-9_]*"), description="a name: go, node, os, ...")
]
Version = Annotated[
    str,
    Meta(
        pattern=whole(r"[0-9]+(?:\.[0-9]+)*"),
        description='numbers with dots between them, in quotes: "1.20"',
    ),
]


class Nearest(enum.Enum):
    """Which version may stand in for one that no image has."""

    SAME = "same"
    """None."""
    HIGHER = "higher"
    """The next higher one with the same first number, if it has several."""
    HIGHER_EVEN = "higher-even"
    """The next higher one whose first number is even, as those of Node's long support are."""


class VersionRule(Written, frozen=True, kw_only=True):
    """How one kind of version is chosen."""

    nearest: Annotated[Nearest, Meta(description="what may stand in for a version")] = Nearest.SAME
    instead: Annotated[
        dict[Version, Version],
        Meta(description="version: the one that stands in for it, whatever `nearest` says"),
    ] = msgspec.field(default_factory=dict)
    unnamed: Annotated[
        Version | None,
        Meta(description="what a reference without version means; by default the highest"),
    ] = None


class BuilderImage(Written, frozen=True, kw_only=True):
    """Images that one definition makes, one for each combination of versions."""

    name: Annotated[
        str,
        Meta(
            pattern=whole(r"[a-z0-9{][a-z0-9{}_.-]{0,127}"),
            description="the tag, with each version in braces: builder-go{go}-el{os}",
        ),
    ]
    definition: Annotated[Name, Meta(description="the component that they are built like")]
    versions: Annotated[
        dict[Axis, tuple[Version, ...]],
        Meta(min_length=1, description="the versions there are, by kind: go, node, os, ..."),
    ]
    base: Annotated[str, Meta(description="the base of the definition, versions in braces")] = ""
    build_arguments: Annotated[
        dict[VariableName, str],
        Meta(description="added to those of the definition, versions in braces"),
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse names that are equal for different versions, and versions nobody gives."""
        for axis, versions in self.versions.items():
            if not versions:
                raise ValueError(f"versions.{axis} lists no version")
            if f"{{{axis}}}" not in self.name:
                raise ValueError(f"name {self.name!r} has no {{{axis}}}, so images share a name")
        for text in (self.name, self.base, *self.build_arguments.values()):
            for axis in axes_in(text):
                if axis not in self.versions:
                    raise ValueError(f"{{{axis}}} in {text!r} is not among versions")


class BuilderReference(Written, frozen=True, kw_only=True):
    """References that fit the pattern ask for a builder with these versions."""

    pattern: Annotated[
        str, Meta(pattern=whole(r"\S+"), description="a reference with {go}, {os}, ... and stars")
    ]
    versions: Annotated[
        dict[Axis, Version | None],
        Meta(description="what the pattern does not say; null asks for any version"),
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse patterns that say something twice, or nothing."""
        axes = axes_in(self.pattern)
        if len({*axes}) < len(axes) or not self.versions.keys().isdisjoint(axes):
            raise ValueError(f"{self.pattern!r} says one kind of version twice")
        if not axes and not self.versions:
            raise ValueError(f"{self.pattern!r} asks for no version: that is a substitution")
        if any(not axis.isidentifier() for axis in axes):
            raise ValueError(f"{self.pattern!r}: a name in braces begins with a letter")


class Builders(Written, frozen=True, kw_only=True):
    """The builders of a stream, and the rules by which they are chosen."""

    images: Annotated[
        tuple[BuilderImage, ...], Meta(description="the builders there are; the first that fits")
    ] = ()
    rules: Annotated[
        dict[Axis, VersionRule], Meta(description="by kind of version, instead of the default")
    ] = msgspec.field(default_factory=dict)
    references: Annotated[
        tuple[BuilderReference, ...],
        Meta(description="references to builders, besides those of OpenShift's CI"),
    ] = ()
    replaces: Annotated[
        tuple[Tag, ...],
        Meta(description="tags of the stream: aliases of them that name a builder are not obeyed"),
    ] = ()
