# SPDX-License-Identifier: Apache-2.0
"""ImageStream files beside BuildConfigs: tags that are imported instead of built.

A tag with an origin is an import; one without is pushed to by somebody and defines nothing. What
only a cluster can follow (an image inside of its image streams) is an issue, and no import.
"""

from __future__ import annotations

from okd_payload.catalog import codes
from okd_payload.catalog.component import Origin
from okd_payload.catalog.definition import Definitions, Import, OtherTag, PulledImage
from okd_payload.catalog.openshift_names import (
    DOCKER_IMAGE,
    IMAGE_STREAM_TAG,
    ImageObject,
    ImageScope,
)
from okd_payload.documents import Document, convert, invalid_field
from okd_payload.errors import InvalidReference
from okd_payload.imagestream.openshift import ObjectReference, RawImageStream
from okd_payload.oci.reference import parse_reference


def read_image_stream(document: Document, *, image_stream: str) -> Definitions:
    """The tags that ``document`` wants imported; those without an origin get pushed to.

    Raises InvalidDocument when a field has the wrong type or is no reference.
    """
    stream = convert(document, RawImageStream)
    prefix = "" if stream.metadata.name == image_stream else f"{stream.metadata.name}:"
    scope = ImageScope(image_stream, stream.metadata.namespace)
    found = Definitions()
    for number, tag in enumerate(stream.spec.tags):
        if tag.origin is None:
            continue
        origin = Origin(document.path, document.line_of(("spec", "tags", number)))
        content = _content_of(tag.origin, scope, stream.metadata.name)
        if content is None:
            issue = codes.UNSUPPORTED_FIELD.issue(
                f"tag {tag.name} comes from {tag.origin.kind} {tag.origin.name}, "
                "which no other tool can follow",
                file=origin.file,
                line=origin.line,
                hint="name the image by its pull spec, kind DockerImage",
            )
            found += Definitions(issues=(issue,))
            continue
        if isinstance(content, PulledImage):
            content = _check(content, document, number)
        found += Definitions(
            imports=(Import(name=f"{prefix}{tag.name}", content=content, origin=origin),)
        )
    return found


def _content_of(
    origin: ObjectReference, scope: ImageScope, stream: str
) -> PulledImage | OtherTag | None:
    if origin.kind == DOCKER_IMAGE:
        return PulledImage(origin.name)
    if origin.kind != IMAGE_STREAM_TAG:
        return None
    name = origin.name if ":" in origin.name else f"{stream}:{origin.name}"
    return OtherTag(scope.name_of(ImageObject(name, origin.kind, origin.namespace)))


def _check(content: PulledImage, document: Document, number: int) -> PulledImage:
    """``content`` with its host written out, as OpenShift completes it."""
    try:
        return PulledImage(str(parse_reference(content.pull_spec)))
    except InvalidReference as error:
        field = ("spec", "tags", number, "from", "name")
        raise invalid_field(document, field, error.message, hint=error.hint) from error
