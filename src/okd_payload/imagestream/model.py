# SPDX-License-Identifier: Apache-2.0
"""An image stream: names of images, each pinned to a digest.

This is the value that builds produce and releases are made of. Where it is kept (a repository,
a file, a cluster) is the business of its views.
"""

from __future__ import annotations

import msgspec

from okd_payload.errors import UnknownName
from okd_payload.oci.digest import Digest


class ImageStreamTag(msgspec.Struct, frozen=True, kw_only=True):
    """One tag: the image it names, and the pull spec by digest that payloads will carry."""

    name: str
    digest: Digest
    reference: str
    annotations: dict[str, str] = {}


class ImageStream(msgspec.Struct, frozen=True, kw_only=True):
    """Tags of one stream, sorted by name, each name once."""

    name: str
    tags: tuple[ImageStreamTag, ...] = ()

    def tag(self, name: str) -> ImageStreamTag:
        """The tag called ``name``. Raises UnknownName, which offers the nearest names."""
        for tag in self.tags:
            if tag.name == name:
                return tag
        raise UnknownName("image stream tag", name, known=(tag.name for tag in self.tags))
