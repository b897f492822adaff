# SPDX-License-Identifier: Apache-2.0
"""What people type where an image or a repository is asked for.

``oci:PATH[:TAG|@DIGEST]`` is an OCI image layout directory, with the same meaning as for
skopeo: the path ends at the first colon. ``file://REPOSITORY[:TAG|@DIGEST]`` is a repository of
a disk registry, with the same meaning as for oc: the directory is given beside it, and is the
current one otherwise. Everything else is a pull spec, with or without skopeo's ``docker://``
before it. A location names a place and opens nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.errors import InvalidReference
from okd_payload.oci.digest import Digest, parse_digest
from okd_payload.oci.reference import Reference, parse_reference, parse_tag

_LAYOUT_SCHEME = "oci:"
_DISK_SCHEME = "file://"
_REGISTRY_SCHEME = "docker://"
_ANY_HOST = "localhost/"
_FOREIGN_SCHEMES = (
    "containers-storage:",
    "dir:",
    "docker-archive:",
    "docker-daemon:",
    "http://",
    "https://",
    "oci-archive:",
    "s3://",
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
        # A slash ends a path that would look like one with a digest behind it.
        slash = "/" if self.tag and "@" in self.path.name else ""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{slash}{tag}{digest}"


class DiskLocation(msgspec.Struct, frozen=True, kw_only=True):
    """A repository of a disk registry, with whatever tag and digest were given."""

    folder: Path = Path()
    """The directory with all repositories."""
    path: str
    """The repository's name in it."""
    tag: str = ""
    digest: Digest | None = None

    @property
    def repository(self) -> str:
        """The location without tag and digest."""
        return f"{_DISK_SCHEME}{self.path}"

    @property
    def selector(self) -> str:
        """The digest or tag; empty when neither was given."""
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


Location = DiskLocation | LayoutLocation | RegistryLocation


def parse_location(text: str, *, folder: Path = Path()) -> Location:
    """``text`` as the place it names; of ``file://``, in ``folder``. Raises InvalidReference."""
    if text.startswith(_LAYOUT_SCHEME):
        return _parse_layout(text)
    if text.startswith(_DISK_SCHEME):
        return _parse_disk(text, folder)
    for scheme in _FOREIGN_SCHEMES:
        if text.startswith(scheme):
            raise InvalidReference(
                f"{text[:200]!r} begins with {scheme}, which is no place for images here",
                hint="write oci:PATH[:TAG] or file://REPOSITORY[:TAG] for a directory, "
                "HOST/PATH[:TAG] for a registry; skopeo copy converts from anything else",
            )
    if text.startswith((".", "/")):
        raise InvalidReference(
            f"{text[:200]!r} is a path, not an image reference",
            hint="write oci:PATH[:TAG] for a directory with an image layout",
        )
    return RegistryLocation(parse_reference(text.removeprefix(_REGISTRY_SCHEME)))


def _parse_disk(text: str, folder: Path) -> DiskLocation:
    rest = text.removeprefix(_DISK_SCHEME).removeprefix("/")
    try:
        reference = parse_reference(_ANY_HOST + rest)
    except InvalidReference as error:
        raise InvalidReference(
            f"{text[:200]!r} is not the name of an image in a directory",
            hint="write file://REPOSITORY:TAG or file://REPOSITORY@sha256:..., as in "
            f"file://openshift/release:4.20.0-x86_64, and give the directory apart; {error.hint}",
        ) from error
    return DiskLocation(
        folder=folder, path=reference.path, tag=reference.tag, digest=reference.digest
    )


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
