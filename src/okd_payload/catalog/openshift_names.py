# SPDX-License-Identifier: Apache-2.0
"""References to images as OpenShift objects write them, as names of the catalog."""

from __future__ import annotations

import msgspec

IMAGE_STREAM_TAG = "ImageStreamTag"
IMAGE_STREAM_IMAGE = "ImageStreamImage"
DOCKER_IMAGE = "DockerImage"


class ImageObject(msgspec.Struct, frozen=True):
    """An object reference that stands for an image."""

    name: str
    kind: str = IMAGE_STREAM_TAG
    namespace: str = ""


class ImageScope(msgspec.Struct, frozen=True):
    """Where references are read: whose tags need no stream name, and in which namespace."""

    stream: str
    """The ImageStream whose tags are the tags of our stream."""
    namespace: str = ""

    def name_of(self, image: ImageObject) -> str:
        """The catalog's name of ``image``: a tag, ``[NAMESPACE/]STREAM:TAG``, or a pull spec.

        An ImageStreamImage (``STREAM@DIGEST``) keeps its name, which means nothing elsewhere.
        """
        if image.kind == DOCKER_IMAGE:
            return image.name
        if image.namespace and image.namespace != self.namespace:
            return f"{image.namespace}/{image.name}"
        stream, colon, tag = image.name.partition(":")
        return tag if colon and stream == self.stream else image.name

    def own_tag(self, image: ImageObject) -> str:
        """The tag of our stream that ``image`` is, empty when it is something else."""
        name = self.name_of(image)
        is_tag = image.kind == IMAGE_STREAM_TAG and name != image.name and "/" not in name
        return name if is_tag else ""
