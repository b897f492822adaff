# SPDX-License-Identifier: Apache-2.0
"""Which tags of a stable stream are releases that are not known yet.

Rules of the old controller: the name has to be a strict semantic version, and a tag called
``next`` becomes the successor of the highest version. All other tags are somebody else's affair,
as are the names that streams publish under. A tag whose release was removed on purpose is not
taken over again, unless it leads to something else by now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from okd_payload.controller.graph.candidates import increment
from okd_payload.controller.model import Release
from okd_payload.oci.digest import Digest
from okd_payload.release.semver import Version, is_version, parse_version

NEXT = "next"


class SeenTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag as it is in the repository or image stream."""

    name: str
    digest: Digest
    pull_spec: str
    """By digest."""


class Renaming(msgspec.Struct, frozen=True, kw_only=True):
    """The tag ``next``, and what it becomes."""

    digest: Digest
    name: str
    """Empty where it has become a release already, and only the tag is left to be removed."""


class AdoptionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes a release, and what does not although somebody seems to want it."""

    adopted: tuple[SeenTag, ...] = ()
    renaming: Renaming | None = None
    trouble: str = ""


def plan_adoption(
    tags: Iterable[SeenTag],
    known: Mapping[str, Release],
    *,
    stream: str,
    removed: Mapping[str, str] | None = None,
    reserved: Collection[str] = (),
) -> AdoptionPlan:
    """What is to be taken over of ``tags``.

    ``known`` are the releases of all streams by name, ``removed`` the digests of those that were
    removed, ``reserved`` the tags under which releases are published.
    """
    gone = removed or {}
    seen = {tag.name: tag for tag in tags}
    adopted = [
        tag
        for name, tag in sorted(seen.items())
        if is_version(name)
        and name not in known
        and name not in reserved
        and gone.get(name) != tag.digest
    ]
    changed = [
        f"{name} was pushed again as {tag.digest}, and the release stays what it was"
        for name, tag in sorted(seen.items())
        if (release := known.get(name)) is not None
        and release.adopted
        and release.stream == stream
        and tag.digest not in (release.input_hash, release.digest)
    ]
    renaming, trouble = _rename(seen, known, stream=stream)
    return AdoptionPlan(
        adopted=tuple(adopted),
        renaming=renaming,
        trouble="; ".join([*([trouble] if trouble else []), *changed]),
    )


def highest(names: Iterable[str]) -> Version | None:
    """The highest of those of ``names`` that are versions."""
    return max((parse_version(name) for name in names if is_version(name)), default=None)


def _rename(
    seen: Mapping[str, SeenTag], known: Mapping[str, Release], *, stream: str
) -> tuple[Renaming | None, str]:
    tag = seen.get(NEXT)
    if tag is None:
        return None, ""
    ours = [each for each in known.values() if each.stream == stream]
    done = any(other.digest == tag.digest for name, other in seen.items() if is_version(name))
    if done or any(each.adopted and each.input_hash == tag.digest for each in ours):
        return Renaming(digest=tag.digest, name=""), ""
    newest = highest([*seen, *(each.name for each in ours)])
    if newest is None:
        return None, "next has no version before it: push the first release under its own name"
    return Renaming(digest=tag.digest, name=str(increment(newest))), ""
