# SPDX-License-Identifier: Apache-2.0
"""What a release may be made of: named pull specs, from wherever they come.

Each reader here turns one kind of source into the same value; what follows does not know where
its tags came from. Nothing is pulled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from okd_payload.errors import InputError
from okd_payload.imagestream.model import ImageStream
from okd_payload.imagestream.openshift import (
    DOCKER_IMAGE,
    ObjectReference,
    TagReference,
)
from okd_payload.issues import Issue, Severity
from okd_payload.oci.reference import parse_reference
from okd_payload.release import codes, labels

_NO_STEPS = frozenset({"", ".", ".."})


class ReleaseInput(msgspec.Struct, frozen=True, kw_only=True):
    """Tags sorted by name, each name once, and what was wrong with their source."""

    tags: tuple[TagReference, ...] = ()
    annotations: dict[str, str] = {}
    """Annotations that the release's own ``image-references`` inherits."""
    issues: tuple[Issue, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of all tags."""
        return [tag.name for tag in self.tags]


def pull_spec_tag(name: str, pull_spec: str) -> TagReference:
    """A tag that refers to an image by its pull spec."""
    return TagReference(name=name, origin=ObjectReference(kind=DOCKER_IMAGE, name=pull_spec))


def pull_spec_of(tag: TagReference) -> str:
    """The pull spec of ``tag``, empty when it refers to something else."""
    return tag.origin.name if tag.origin and tag.origin.kind == DOCKER_IMAGE else ""


def read_tags(stream: ImageStream) -> ReleaseInput:
    """The tags of a repository or of a build: all of them, by digest."""
    return make_input(
        TagReference(
            name=tag.name,
            annotations=tag.annotations or None,
            origin=ObjectReference(kind=DOCKER_IMAGE, name=tag.reference),
        )
        for tag in stream.tags
    )


def make_input(
    tags: Iterable[TagReference],
    *,
    annotations: Mapping[str, str] | None = None,
    issues: Iterable[Issue] = (),
) -> ReleaseInput:
    """``tags`` sorted; of tags with the same name the first one counts, and an issue says so.

    Raises InputError for a name that no file may have.
    """
    kept: dict[str, TagReference] = {}
    found = list(issues)
    for tag in tags:
        _check_name(tag.name)
        first = kept.setdefault(tag.name, tag)
        if first is not tag:
            found.append(_duplicate(first, tag))
    return ReleaseInput(
        tags=tuple(kept[name] for name in sorted(kept)),
        annotations=dict(annotations or {}),
        issues=tuple(found),
    )


def annotate(given: ReleaseInput, annotations: Mapping[str, str]) -> ReleaseInput:
    """``given`` with more annotations for its release."""
    return msgspec.structs.replace(given, annotations={**given.annotations, **annotations})


def exclude(given: ReleaseInput, names: Collection[str]) -> ReleaseInput:
    """``given`` without the tags called ``names``."""
    tags = tuple(tag for tag in given.tags if tag.name not in names)
    return msgspec.structs.replace(given, tags=tags)


def override(given: ReleaseInput, pull_specs: Mapping[str, str]) -> ReleaseInput:
    """``given`` with tags added or replaced, and marked. Raises InputError."""
    tags = {tag.name: tag for tag in given.tags}
    for name, pull_spec in pull_specs.items():
        _check_name(name)
        parse_reference(pull_spec)
        tags[name] = msgspec.structs.replace(
            pull_spec_tag(name, pull_spec), annotations={labels.OVERRIDE: "true"}
        )
    return msgspec.structs.replace(given, tags=tuple(tags[name] for name in sorted(tags)))


def _check_name(name: str) -> None:
    """Names of tags become parts of file names, in the payload and on disk."""
    if not _NO_STEPS.isdisjoint(name.split("/")):
        raise InputError(
            f"{name[:100]!r} is no name for a tag",
            hint="names of tags are words of letters, digits, '-', '_' and '.'",
        )


def _duplicate(first: TagReference, second: TagReference) -> Issue:
    same = pull_spec_of(first) == pull_spec_of(second)
    issue = codes.DUPLICATE_TAG.issue(
        f"the tag {first.name!r} is given twice"
        + ("" if same else f": {pull_spec_of(first)} and {pull_spec_of(second)}"),
        component=first.name,
        hint="remove one of them",
    )
    return msgspec.structs.replace(issue, severity=Severity.WARNING) if same else issue
