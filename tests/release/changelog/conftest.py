# SPDX-License-Identifier: Apache-2.0
"""Releases in memory, whose images come from somewhere, and histories that are written down."""

from __future__ import annotations

import pytest

from okd_payload.errors import SourceError
from okd_payload.imagestream.openshift import DOCKER_IMAGE, ObjectReference, TagReference
from okd_payload.release import labels
from okd_payload.release.load import ReleaseContent, parse_release
from okd_payload.release.metadata import ReleaseMetadata, encode_metadata, make_references
from okd_payload.release.times import EPOCH
from okd_payload.source.history import CommitRange, LoggedCommit

OLD, NEW = "a" * 40, "b" * 40


def image(name, number, *, source="https://github.com/o/r", commit=OLD, **annotations):
    """A tag of a release; ``number`` tells its digest from others."""
    digest = f"sha256:{number:064x}"
    said = {labels.SOURCE: source, labels.COMMIT_ID: commit, **annotations}
    return TagReference(
        name=name,
        annotations=said,
        origin=ObjectReference(kind=DOCKER_IMAGE, name=f"quay.test/okd/content@{digest}"),
    )


def make_release(name, *images, manifests=None, previous=()):
    """A release of these images."""
    from okd_payload.imagestream.openshift import encode_image_stream

    references = make_references(
        name, created=EPOCH, tags=tuple(sorted(images, key=lambda tag: tag.name)), annotations={}
    )
    metadata = ReleaseMetadata(version=name, previous=tuple(previous))
    files = {
        labels.IMAGE_REFERENCES: encode_image_stream(references),
        labels.RELEASE_METADATA: encode_metadata(metadata),
        **{key: text.encode() for key, text in (manifests or {}).items()},
    }
    return parse_release(ReleaseContent(origin=name, files=files))


class WrittenHistory:
    """The twin of what reads histories: it knows what it was told."""

    def __init__(self, **ranges):
        self.ranges = ranges
        self.asked = []

    async def between(self, location, before, after):
        """What was written for the last part of the location."""
        self.asked.append((location, before, after))
        found = self.ranges.get(location.rpartition("/")[2])
        if found is None:
            raise SourceError(f"cannot reach {location}")
        return found


def commits(*subjects):
    """A line of squashed commits, newest first."""
    return CommitRange(
        commits=tuple(
            LoggedCommit(id=f"{number:040x}", parents=("p",), time=number, subject=subject)
            for number, subject in enumerate(subjects, 1)
        )
    )


@pytest.fixture
def tag():
    """Makes images."""
    return image


@pytest.fixture
def release():
    """Makes releases."""
    return make_release


@pytest.fixture
def history():
    """Makes histories."""
    return WrittenHistory


@pytest.fixture
def line():
    """Makes lines of commits."""
    return commits
