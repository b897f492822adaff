# SPDX-License-Identifier: Apache-2.0
"""What is copied in tests of transfers, and how it is counted."""

from __future__ import annotations

from collections import Counter

from okd_payload.oci.transfer import ImageCopy
from okd_payload.testing.images import push_image

BASE = b"base" * 700_000


class OtherKind:
    """Hides what kind of repository it wraps, so that mounting is impossible."""

    def __init__(self, repository):
        self.name = repository.name
        self.blobs = repository.blobs
        self.manifests = repository.manifests


def copies(source, destination, *tags, **options):
    """What is asked for: each tag from one end to the other."""
    return [
        ImageCopy(source=source, reference=tag, destination=destination, tag=tag, **options)
        for tag in tags
    ]


def count_of(repository, verb):
    """How often something was done, by what it was done to."""
    return Counter(subject for done, subject in repository.operations if done == verb)


async def push_payload(source, number):
    """The tags of images that have one layer in common."""
    tags = [f"component-{i:03}" for i in range(number)]
    for tag in tags:
        await push_image(source, tag=tag, layers=[BASE, tag.encode()])
    source.operations.clear()
    return tags
