# SPDX-License-Identifier: Apache-2.0
"""Which builder a reference gets.

A reference asks for kinds of versions. Images that lack one of them are out. For each kind the
version is, in this order: the same one, the one that the rule names instead, the nearest by the
rule. Of several images the one with the fewest versions that only stand in is chosen, and of
these the first. What is chosen depends on nothing but the stream file and the reference, so that
one component's builder never changes because of another component.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable

import msgspec

from okd_payload.catalog.builders.known import DEFAULT_RULES, KNOWN_REFERENCES
from okd_payload.catalog.builders.patterns import fill_versions, read_versions
from okd_payload.catalog.builders.policy import (
    BuilderImage,
    BuilderReference,
    Builders,
    Nearest,
    VersionRule,
)


class Closeness(enum.Enum):
    """How a version that was given is to the one that was asked for."""

    SAME = "same"
    INSTEAD = "instead"
    """The stream names it as what stands in."""
    HIGHER = "next higher"
    UNNAMED = "none named"
    """The reference asks for no particular one."""
    UNASKED = "not asked for"
    """The image has a kind of version that the reference does not speak of."""


class ChosenVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of version: asked for, given, and how the two are related."""

    kind: str
    asked: str
    """Empty when the reference names none."""
    given: str
    closeness: Closeness

    @property
    def is_approximate(self) -> bool:
        """Whether something else was given than was asked for."""
        return self.closeness not in (Closeness.SAME, Closeness.UNASKED)

    def __str__(self) -> str:
        if self.closeness in (Closeness.SAME, Closeness.UNASKED):
            return f"{self.kind} {self.given}"
        return f"{self.kind} {self.asked or 'of any version'} as {self.given}"


class BuilderChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The builder that a reference gets, and why."""

    reference: str
    pattern: str
    """What says that the reference is one of a builder."""
    tag: str
    definition: str
    """The component that the builder is built like."""
    image: BuilderImage
    versions: tuple[ChosenVersion, ...]

    @property
    def approximations(self) -> tuple[ChosenVersion, ...]:
        """The versions that are not what was asked for."""
        return tuple(version for version in self.versions if version.is_approximate)


class NoBuilder(msgspec.Struct, frozen=True, kw_only=True):
    """A reference to a builder that no image can stand in for, and why."""

    reference: str
    message: str
    hint: str


def choose_builder(reference: str, builders: Builders) -> BuilderChoice | NoBuilder | None:
    """What ``reference`` gets by ``builders``; None when it is none of a builder."""
    if not builders.images:
        return None
    read = _read(reference, (*builders.references, *KNOWN_REFERENCES))
    if read is None:
        return None
    asked, pattern = read
    found = []
    for image in builders.images:
        versions = _versions_of(image, asked, builders)
        if versions is not None:
            tag = fill_versions(image.name, {each.kind: each.given for each in versions})
            found.append(
                BuilderChoice(
                    reference=reference,
                    pattern=pattern,
                    tag=tag,
                    definition=image.definition,
                    image=image,
                    versions=versions,
                )
            )
    if not found:
        return _explain(reference, asked, builders)
    return min(found, key=lambda choice: len(choice.approximations))


def _read(reference: str, known: Iterable[BuilderReference]) -> tuple[dict[str, str], str] | None:
    """The versions that ``reference`` asks for, empty where any will do, and the pattern."""
    for each in known:
        captured = read_versions(each.pattern, reference)
        if captured is not None:
            given = {kind: version or "" for kind, version in each.versions.items()}
            return captured | given, each.pattern
    return None


def _versions_of(
    image: BuilderImage, asked: dict[str, str], builders: Builders
) -> tuple[ChosenVersion, ...] | None:
    """The versions of ``image`` nearest to ``asked``, None when it cannot stand in."""
    if not asked.keys() <= image.versions.keys():
        return None
    found = []
    for kind, offered in image.versions.items():
        chosen = _choose(kind, asked.get(kind), offered, _rule(kind, builders))
        if chosen is None:
            return None
        found.append(chosen)
    return tuple(found)


def _choose(
    kind: str, asked: str | None, offered: tuple[str, ...], rule: VersionRule
) -> ChosenVersion | None:
    def chosen(given: str, closeness: Closeness) -> ChosenVersion:
        return ChosenVersion(kind=kind, asked=asked or "", given=given, closeness=closeness)

    if not asked:
        given = rule.unnamed if rule.unnamed in offered else max(offered, key=_numbers)
        return chosen(given or "", Closeness.UNASKED if asked is None else Closeness.UNNAMED)
    same = [version for version in offered if _is_same(version, asked)]
    if same:
        return chosen(max(same, key=_numbers), Closeness.SAME)
    instead = rule.instead.get(asked)
    if instead in offered:
        return chosen(instead, Closeness.INSTEAD)
    higher = [version for version in offered if _may_stand_in(version, asked, rule.nearest)]
    return chosen(min(higher, key=_numbers), Closeness.HIGHER) if higher else None


def _rule(kind: str, builders: Builders) -> VersionRule:
    return builders.rules.get(kind) or DEFAULT_RULES.get(kind) or VersionRule()


def _is_same(offered: str, asked: str) -> bool:
    """Whether the two agree as far as both say something: 1.20.4 is a 1.20."""
    return all(one == other for one, other in zip(_numbers(offered), _numbers(asked), strict=False))


def _may_stand_in(offered: str, asked: str, nearest: Nearest) -> bool:
    numbers, wanted = _numbers(offered), _numbers(asked)
    if nearest is Nearest.SAME or numbers < wanted:
        return False
    if nearest is Nearest.HIGHER_EVEN:
        return numbers[0] % 2 == 0
    return numbers[0] == wanted[0] or len(numbers) == 1 or len(wanted) == 1


@functools.cache
def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _explain(reference: str, asked: dict[str, str], builders: Builders) -> NoBuilder:
    """Why no image can be what ``reference`` asks for."""
    wanted = " and ".join(f"{kind} {version}".strip() for kind, version in asked.items())
    kinds = [image for image in builders.images if asked.keys() <= image.versions.keys()]
    if not kinds:
        missing = ", ".join(asked)
        hint = f"add an image with versions of {missing} to `builders.images`"
    else:
        offers = "; ".join(
            f"{image.definition} has {kind} {', '.join(image.versions[kind])}"
            for image in kinds
            for kind in asked
            if _choose(kind, asked[kind], image.versions[kind], _rule(kind, builders)) is None
        )
        hint = f"{offers}: add the version, or let another stand in with `builders.rules`"
    return NoBuilder(
        reference=reference, message=f"no builder has {wanted}, as {reference} asks", hint=hint
    )
