# SPDX-License-Identifier: Apache-2.0
"""Which image each tag of an OpenShift ImageStream means to a release.

``spec`` says what is wanted and ``status`` what was imported; they disagree while an import is
under way. A spec tag by digest counts as it is; any other tag, and one that was changed since,
is what ``status`` says. By default every image is then taken from the one public repository
that the stream names, wherever it came from.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from okd_payload.errors import InputError, InvalidReference
from okd_payload.imagestream.openshift import (
    DOCKER_IMAGE,
    ObjectReference,
    RawImageStream,
    TagEvent,
    TagHistory,
    TagReference,
)
from okd_payload.issues import Issue
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.release import codes
from okd_payload.release.inputs import ReleaseInput, make_input, pull_spec_of, pull_spec_tag

ReferenceMode = Literal["public", "source"]

_IMPORT_SUCCESS = "ImportSuccess"
_Found = TagReference | Issue | None


def read_image_stream(
    stream: RawImageStream, *, mode: ReferenceMode = "public", excluded: Collection[str] = ()
) -> ReleaseInput:
    """The tags of ``stream``; those that lack an image are issues.

    Raises InputError when the mode needs a public repository and there is none, and
    InvalidReference for a pull spec that is none.
    """
    if mode == "public" and not stream.status.public_docker_image_repository:
        raise InputError(
            "only image streams with a public image repository can be the source of a release"
            " in the default reference mode",
            hint="set status.publicDockerImageRepository, or give --reference-mode=source",
        )
    reader = _Reader(stream, mode)
    wanted = [tag for tag in stream.spec.tags if tag.name not in excluded]
    found = [(tag.name, reader.read_wanted(tag)) for tag in wanted]
    covered = {name for name, result in found if result is not None}
    found += [
        (history.tag, reader.read_imported(history))
        for history in stream.status.tags
        if history.tag not in covered and history.tag not in excluded
    ]
    return make_input(
        (result for _, result in found if isinstance(result, TagReference)),
        issues=(result for _, result in found if isinstance(result, Issue)),
    )


class _Reader:
    def __init__(self, stream: RawImageStream, mode: ReferenceMode) -> None:
        self._mode = mode
        self._internal = stream.status.docker_image_repository
        self._public = stream.status.public_docker_image_repository
        self._imported = {history.tag: history for history in stream.status.tags}

    def read_wanted(self, tag: TagReference) -> _Found:
        """What a spec tag means; None when only ``status`` can tell."""
        history = self._imported.get(tag.name)
        newest = _newest(history)
        if tag.generation is not None and newest is not None:
            return _not_imported(tag.name) if tag.generation > newest.generation else None
        pull_spec = pull_spec_of(tag)
        if not pull_spec:
            return None
        reference = _parse(tag.name, pull_spec)
        if reference.digest:
            return self._repeat(tag, self._locate(pull_spec, reference.digest))
        if history is None or newest is None:
            return _unless_failed(history)
        if not newest.image:
            return _not_imported(tag.name)
        return self._repeat(tag, self._locate(newest.docker_image_reference, newest.image))

    def read_imported(self, history: TagHistory) -> _Found:
        """What a status tag means; None when it has no image and needs none."""
        newest = _newest(history)
        if newest is None:
            return _unless_failed(history)
        pull_spec = self._locate(newest.docker_image_reference, newest.image)
        if not newest.image or not pull_spec:
            return None
        tag = _parse(history.tag, pull_spec).tag
        name = pull_spec.partition("@")[0].removesuffix(f":{tag}" if tag else "")
        return pull_spec_tag(history.tag, f"{name}@{newest.image}")

    def _locate(self, pull_spec: str, digest: str) -> str:
        """Where clusters will pull the image from, empty when nobody knows."""
        if self._internal and pull_spec.startswith(self._internal):
            pull_spec = ""
        if self._public and (self._mode == "public" or not pull_spec):
            return f"{self._public}@{digest}"
        return pull_spec

    def _repeat(self, tag: TagReference, pull_spec: str) -> TagReference | None:
        if not pull_spec:
            return None
        origin = ObjectReference(kind=DOCKER_IMAGE, name=pull_spec)
        return msgspec.structs.replace(tag, origin=origin)


def _newest(history: TagHistory | None) -> TagEvent | None:
    return history.items[0] if history and history.items else None


def _unless_failed(history: TagHistory | None) -> Issue | None:
    """An issue when the cluster tried to import the tag, nothing when it never did.

    Whether it says that it succeeded makes no difference: there is no image.
    """
    tried = history and any(item.type == _IMPORT_SUCCESS for item in history.conditions)
    return _not_imported(history.tag) if history and tried else None


def _not_imported(name: str) -> Issue:
    return codes.TAG_NOT_IMPORTED.issue(
        f"the tag {name!r} in the source input stream has not been imported yet",
        component=name,
        hint="wait for the import, repair it, or leave the tag out with --exclude",
    )


def _parse(name: str, pull_spec: str) -> Reference:
    try:
        return parse_reference(pull_spec)
    except InvalidReference as error:
        raise InvalidReference(f"tag {name!r}: {error.message}", hint=error.hint) from error
