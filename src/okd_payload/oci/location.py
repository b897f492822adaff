# SPDX-License-Identifier: Apache-2.0
"""What people type where an image or a repository is asked for.

``oci:PATH[:TAG|@DIGEST]`` is an OCI image layout directory, with the same meaning as for
skopeo: the path ends at the first colon. Everything else is a pull spec, with or without
skopeo's ``docker://`` before it. A location names a place and opens nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.errors import InvalidReference
from okd_payload.oci.digest import Digest, parse_digest
from okd_payload.oci.reference import Reference, parse_reference, parse_tag

_LAYOUT_SCHEME = "oci:"
_REGISTRY_SCHEME = "docker://"
_FOREIGN_SCHEMES = (
    "containers-storage:",
    "dir:",
    "docker-archive:",
    "docker-daemon:",
    "file://",
    "http://",
    "https://",
    "oci-archive:",
)


class LayoutLocation(msgspec.Struct, frozen=True, kw_only=True):
    """A layout directory, and at most one of a tag and a digest in it."""

    path: Path
    tag: str = ""
    digest: Digest | None = None

    @property
    def repository(self) -> str:
        """The location without tag and digest."""
        return f"{_LAYOUT_SCHEME}{self.path}"

    @property
    def selector(self) -> str:
        """The digest or tag; empty, the layout's only image, when neither was given."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


class RegistryLocation(msgspec.Struct, frozen=True):
    """A repository of a registry, with whatever tag and digest were given."""

    reference: Reference

    @property
    def repository(self) -> str:
        """The location without tag and digest."""
        return self.reference.repository

    @property
    def tag(self) -> str:
        """The tag, empty when none was given."""
        return self.reference.tag

    @property
    def digest(self) -> Digest | None:
        """The digest, None when none was given."""
        return self.reference.digest

    @property
    def selector(self) -> str:
        """The digest or tag; empty when neither was given."""
        return self.digest or self.tag

    def __str__(self) -> str:
        return str(self.reference)


Location = LayoutLocation | RegistryLocation


def parse_location(text: str) -> Location:
    """``text`` as the place it names. Raises InvalidReference."""
    if text.startswith(_LAYOUT_SCHEME):
        return _parse_layout(text)
    for scheme in _FOREIGN_SCHEMES:
        if text.startswith(scheme):
            raise InvalidReference(
                f"{text[:200]!r} begins with {scheme}, which is no place for images here",
                hint="write oci:PATH[:TAG] for a directory, HOST/PATH[:TAG] for a registry; "
                "skopeo copy converts from anything else",
            )
    return RegistryLocation(parse_reference(text.removeprefix(_REGISTRY_SCHEME)))


def _parse_layout(text: str) -> LayoutLocation:
    rest = text.removeprefix(_LAYOUT_SCHEME)
    path, at, digest = rest.rpartition("@")
    if at and ":" in digest and "/" not in digest:
        return LayoutLocation(path=_path(text, path), digest=parse_digest(digest))
    path, colon, tag = rest.partition(":")
    return LayoutLocation(path=_path(text, path), tag=parse_tag(tag) if colon else "")


def _path(text: str, path: str) -> Path:
    if not path or ":" in path:
        what = "the path is missing" if not path else "the path has a colon, or a tag as well"
        raise InvalidReference(
            f"{text[:200]!r} names no directory: {what}",
            hint="write oci:PATH, oci:PATH:TAG or oci:PATH@sha256:...",
        )
    return Path(path)
