# SPDX-License-Identifier: Apache-2.0
"""Which images of a configuration become which tags of an image stream (reference 3.1)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from okd_payload.catalog.ci_operator.model import BuiltImage, Configuration, Target

_EVERYTHING = "*"
_VERSION = re.compile(r"(?:[a-z]+-)*([0-9]+\.[0-9]+)")


def version_of(stream: str) -> str:
    """The OpenShift version that the name of an image stream or branch is of, "" without one."""
    match = _VERSION.fullmatch(stream.rpartition("/")[2])
    return match[1] if match else ""


def promoted_images(configuration: Configuration, target: Target) -> dict[str, str]:
    """The name in the pipeline of what each tag of ``target`` becomes, disabled or not."""
    excluded = set(target.excluded)
    found = {
        image.name: image.name
        for image in configuration.built
        if isinstance(image, BuiltImage)
        and image.name in configuration.listed
        and not image.optional
        and not excluded & {image.name, _EVERYTHING}
    }
    return found | target.additional


def stream_tags(configuration: Configuration, stream: str) -> dict[str, str]:
    """What ``configuration`` gives a release: the pipeline's name of the image, by tag.

    Targets that are ``stream``, or of its version, count; where there is none, every target that
    is of some version, which is how a branch that belongs to another release is read.
    """
    targets = [target for target in configuration.targets if version_of(target.stream)]
    targets += [target for target in configuration.targets if target.stream == stream]
    wanted = [
        target
        for target in targets
        if target.stream == stream or version_of(target.stream) == version_of(stream)
    ]
    found: dict[str, str] = {}
    for target in wanted or targets:
        for tag, image in promoted_images(configuration, target).items():
            found.setdefault(tag, image)
    return found


def likely_stream(configurations: Iterable[Configuration], *, version: str = "") -> str:
    """The image stream that most of ``configurations`` promote to, disabled ones included.

    With ``version``, only streams of that version are asked about.
    """
    counted = Counter(
        target.stream
        for configuration in configurations
        for target in configuration.targets
        if version_of(target.stream) and version in ("", version_of(target.stream))
    )
    return min(counted, key=lambda stream: (-counted[stream], stream)) if counted else ""
