# SPDX-License-Identifier: Apache-2.0
"""The streams of the old controller: image streams that carry a configuration.

Those that it passes over are passed over here, each with an issue that says why.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.controller.configuration.folder import read_annotation
from okd_payload.controller.configuration.model import Input, StreamConfiguration, StreamKind
from okd_payload.controller.configuration.openshift import written_fields
from okd_payload.controller.configuration.openshift_fields import ReferenceFields
from okd_payload.controller.migration.codes import PASSED_OVER_STREAM
from okd_payload.controller.migration.objects import ImageStream
from okd_payload.errors import InvalidDocument
from okd_payload.issues import Issue

_CONFIGURATION = "config"


class OldStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream, and the image stream that its releases are tags of."""

    configuration: StreamConfiguration
    source: str
    """``NAMESPACE/NAME`` of its input."""
    target: ImageStream
    pull_repository: str | None = None
    """Where payloads are that no image stream has; None where the stream has all of them."""


class FoundStreams(msgspec.Struct, frozen=True, kw_only=True):
    """The streams by name, and what was passed over."""

    streams: dict[str, OldStream]
    issues: tuple[Issue, ...] = ()


def find_streams(
    image_streams: Iterable[ImageStream], *, architecture: str = "amd64"
) -> FoundStreams:
    """The streams among ``image_streams``."""
    known = {each.place: each for each in image_streams}
    streams: dict[str, OldStream] = {}
    issues: list[Issue] = []
    for each in known.values():
        text = each.metadata.annotation(_CONFIGURATION)
        if not text:
            continue
        try:
            configuration, told = read_annotation(text, path=each.place)
        except InvalidDocument as error:
            issues.append(_passed_over(each.place, error.message))
            continue
        issues += told
        stable = configuration.kind is StreamKind.STABLE
        place = each.place if stable else f"{each.metadata.namespace}/{configuration.target}"
        target = known.get(place)
        reference = written_fields(configuration).reference_release
        if target is None:
            issues.append(_passed_over(each.place, f"its target {place} is not there"))
        elif not _has_images(each, reference):
            issues.append(_passed_over(each.place, "it has no imported tag or no public address"))
        elif configuration.name in streams:
            issues.append(_passed_over(each.place, f"{configuration.name} is configured already"))
        else:
            streams[configuration.name] = OldStream(
                configuration=msgspec.structs.replace(
                    configuration,
                    input=Input() if stable else Input(image_stream=each.place),
                    releases_name=target.status.public_docker_image_repository,
                    architectures=(architecture,),
                ),
                source=each.place,
                target=target,
                pull_repository=reference.pull_repository if reference else None,
            )
    return FoundStreams(streams=streams, issues=tuple(issues))


def _has_images(stream: ImageStream, reference: ReferenceFields | None) -> bool:
    """Whether the old controller takes ``stream`` for an input."""
    if reference is not None and any(tag.reference for tag in stream.spec.tags or ()):
        return True
    return bool(stream.status.tags and stream.status.public_docker_image_repository)


def _passed_over(place: str, why: str) -> Issue:
    return PASSED_OVER_STREAM.issue(f"{place} is passed over: {why}", component=place)
