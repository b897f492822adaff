# SPDX-License-Identifier: Apache-2.0
"""Whether nodes boot from the stream of the operating system that they are then updated to.

The installer ships the images that machines first boot from as stream metadata in a ConfigMap;
the release has the operating system as one of its images. A boot image may well be older: it is
updated at once. One of another stream is where that goes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from okd_payload.issues import Issue
from okd_payload.release.lint import codes
from okd_payload.release.lint.fields import map_at, text_at
from okd_payload.release.lint.subject import CheckedObject, Subject
from okd_payload.release.versions import MACHINE_OS, declared_by

_CONFIG_MAP = "coreos-bootimages"
_STREAM = re.compile(r"(\d+)\.(\d+)\.\d+")


def check_boot_images(subject: Subject) -> Iterator[Issue]:
    """The boot images of every architecture, against what the release calls machine-os."""
    systems = dict(_systems(subject))
    if not systems:
        return
    for item in subject.of_kind("ConfigMap"):
        if item.key.name == _CONFIG_MAP:
            yield from _check_streams(item, systems)


def _check_streams(item: CheckedObject, systems: Mapping[str, str]) -> Iterator[Issue]:
    streams = {_stream_of(text) for text in systems.values()}
    for architecture, release in _boot_releases(item):
        if _stream_of(release) in streams | {None}:
            continue
        named = ", ".join(f"{tag} is {version}" for tag, version in systems.items())
        yield item.issue(
            codes.BOOT_IMAGE_DIFFERS,
            f"has boot images {release} for {architecture}, and {named}",
            hint="take installer and operating system from the same stream",
        )


def _systems(subject: Subject) -> Iterator[tuple[str, str]]:
    """The version of every operating system among the images, by tag."""
    for tag in subject.tags:
        declared = declared_by(tag.annotations).get(MACHINE_OS)
        if declared is not None:
            yield tag.name, declared.version


def _boot_releases(item: CheckedObject) -> Iterator[tuple[str, str]]:
    """The releases of the boot images, by architecture, each once."""
    text = text_at(item.value, "data", "stream")
    try:
        stream = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return
    for architecture, described in sorted(map_at(stream, "architectures").items()):
        artifacts = map_at(described, "artifacts").values()
        for release in sorted({text_at(artifact, "release") for artifact in artifacts}):
            yield architecture, release


def _stream_of(version: str) -> tuple[str, str] | None:
    """Major and minor version; None for what is not written like one."""
    match = _STREAM.match(version)
    return (match[1], match[2]) if match else None
