# SPDX-License-Identifier: Apache-2.0
"""Where the images of a release go, and the tags that they get there.

The rules are those of ``oc``: the release is tagged ``VERSION-ARCHITECTURE``, an image of it
``VERSION-ARCHITECTURE-NAME``; a target that says ``${component}`` makes its own tags. Clusters ask
mirrors for repositories, so all images of a target must go into one.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.errors import InputError, InvalidReference
from okd_payload.oci.location import DiskLocation, LayoutLocation, Location, parse_location

DEFAULT_DISK_TARGET = "file://openshift/release"
_COMPONENT, _VERSION = "${component}", "${version}"
_STANDIN = "x-x-x-x-x-x-x"
_RELEASE = "release"
_S3 = "s3://"
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
MULTI = "multi"
"""The architecture in the tags of a release that is an index."""


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """What the tags of a release are made of."""

    version: str
    architecture: str
    """As Go names it, or ``multi``."""

    @property
    def tag_version(self) -> str:
        """The version as tags can have it, which know no plus sign."""
        return self.version.replace("+", "_")

    @property
    def suffix(self) -> str:
        """The architecture as tags have it; empty when nobody knows it."""
        name = _ARCHITECTURES.get(self.architecture, self.architecture)
        return f"-{name}" if name else ""


class MirrorTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A place for all images of a release."""

    typed: str
    folder: Path = Path()
    """The directory, when it is in one."""

    @property
    def has_own_tags(self) -> bool:
        """Whether the target says how tags are made."""
        return _COMPONENT in self.typed

    @property
    def repository(self) -> Location:
        """The target without any tag."""
        text = self.typed.replace(_COMPONENT, _STANDIN).replace(_VERSION, _STANDIN)
        return without_tag(parse_location(text, folder=self.folder))

    def place(self, component: str, naming: Naming) -> Location:
        """Where an image goes, with its tag; "" is the release. Raises InvalidReference."""
        if self.has_own_tags:
            text = self.typed.replace(_COMPONENT, component or _RELEASE)
            text = text.replace(_VERSION, naming.tag_version) + naming.suffix
        else:
            text = f"{self.typed}:{naming.tag_version}{naming.suffix}"
            text += f"-{component}" if component else ""
        return parse_location(text, folder=self.folder)


def parse_target(text: str, *, folder: Path) -> MirrorTarget:
    """The target that ``text`` describes; ``file://`` is in ``folder``. Raises InputError."""
    refuse_s3(text, option="--to")
    target = MirrorTarget(typed=text, folder=folder)
    if not target.has_own_tags:
        try:
            location = parse_location(text, folder=folder)
        except InvalidReference as error:
            raise InputError(
                f"--to must be a valid image repository: {error.message}", hint=error.hint
            ) from error
        if location.selector:
            raise InputError(
                "--to must be to an image repository and may not contain a tag or digest",
                hint="tags are made of the version and the name of each image; ${component} in "
                "the tag makes others",
            )
        return target
    try:
        location = parse_location(
            text.replace(_COMPONENT, _STANDIN).replace(_VERSION, _STANDIN), folder=folder
        )
    except InvalidReference as error:
        raise InputError(
            f"--to must be a valid image reference: {error.message}", hint=error.hint
        ) from error
    if text.count(_COMPONENT) > 1 or _STANDIN not in location.tag or location.digest:
        raise InputError(
            "when mirroring to multiple repositories, use the new release command with"
            " --from-release and --mirror",
            hint="clusters ask mirrors for repositories: ${component} may be in the tag only, once",
        )
    return target


def refuse_s3(text: str, *, option: str) -> None:
    """Refuse buckets as targets, and say what does the same. Raises InputError."""
    if text.startswith(_S3):
        raise InputError(
            f"{option} {text[:100]}: buckets are not written to",
            hint="mirror into a directory with --to-dir, and bring that to the bucket with its own "
            "program; clusters cannot pull from a bucket in any case",
        )


def without_tag(location: Location) -> Location:
    """The repository of ``location``, as a location."""
    if isinstance(location, DiskLocation | LayoutLocation):
        return msgspec.structs.replace(location, tag="", digest=None)
    reference = msgspec.structs.replace(location.reference, tag="", digest=None)
    return msgspec.structs.replace(location, reference=reference)
