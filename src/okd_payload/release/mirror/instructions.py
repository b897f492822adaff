# SPDX-License-Identifier: Apache-2.0
"""What a cluster has to be told to pull from a mirror: objects, and a part of install-config.

Every repository that the payload names, and that of the release itself, gets the repositories of
the targets as mirrors. Sources are sorted by name and mirrors keep the order of the targets, so
the same mirror always gives the same text. On standard output it has the words of ``oc``, which
scripts cut it out by; in files each object stands alone, with a name made of the mirror's.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence

import msgspec

_LONGEST_NAME = 63
_NO_NAME = re.compile(r"[^a-z0-9]+")


class MirrorSet(enum.Enum):
    """A kind of object that names mirrors, and what it calls its parts."""

    IDMS = ("config.openshift.io/v1", "ImageDigestMirrorSet", "imageDigestMirrors")
    ITMS = ("config.openshift.io/v1", "ImageTagMirrorSet", "imageTagMirrors")
    ICSP = (
        "operator.openshift.io/v1alpha1",
        "ImageContentSourcePolicy",
        "repositoryDigestMirrors",
    )

    def __init__(self, api_version: str, kind: str, field: str) -> None:
        self.api_version = api_version
        self.kind = kind
        self.field = field

    @property
    def install_field(self) -> str:
        """What install-config calls the list; it has none for tags."""
        return "imageContentSources" if self is MirrorSet.ICSP else "imageDigestSources"


class SourceMirrors(msgspec.Struct, frozen=True):
    """A repository, and where else its images are."""

    source: str
    mirrors: tuple[str, ...]


def find_mirrors(sources: Iterable[str], mirrors: Iterable[str]) -> tuple[SourceMirrors, ...]:
    """All ``mirrors`` for each of ``sources``, each once."""
    unique = tuple(dict.fromkeys(mirrors))
    return tuple(SourceMirrors(source, unique) for source in sorted(set(sources)))


def install_config(kind: MirrorSet, found: Sequence[SourceMirrors]) -> str:
    """The part of an install-config."""
    return f"{kind.install_field}:\n" + "".join(_entries(found))


def mirror_set(kind: MirrorSet, found: Sequence[SourceMirrors], *, name: str) -> str:
    """The object, as YAML."""
    entries = "".join(f"  {line}" for entry in _entries(found) for line in entry.splitlines(True))
    return (
        f"apiVersion: {kind.api_version}\nkind: {kind.kind}\nmetadata:\n  name: {name}\n"
        f"spec:\n  {kind.field}:\n{entries}"
    )


def instructions(kind: MirrorSet, found: Sequence[SourceMirrors]) -> str:
    """What ``oc`` prints at the end of a mirror."""
    return (
        "\nTo use the new mirrored repository to install, add the following section to the"
        f" install-config.yaml:\n\n{install_config(kind, found)}\n\n"
        f"To use the new mirrored repository for upgrades, use the following to create an"
        f" {kind.kind}:\n\n{mirror_set(kind, found, name='example')}"
    )


def instruction_files(found: Sequence[SourceMirrors]) -> dict[str, bytes]:
    """The objects and the part of install-config as files, by their names."""
    name = _object_name(found[0].mirrors[0])
    return {
        "image-digest-mirror-set.yaml": mirror_set(MirrorSet.IDMS, found, name=name).encode(),
        "image-tag-mirror-set.yaml": mirror_set(MirrorSet.ITMS, found, name=name).encode(),
        "install-config-image-digest-sources.yaml": install_config(MirrorSet.IDMS, found).encode(),
    }


def _entries(found: Sequence[SourceMirrors]) -> list[str]:
    return [
        "- mirrors:\n"
        + "".join(f"  - {mirror}\n" for mirror in each.mirrors)
        + f"  source: {each.source}\n"
        for each in found
    ]


def _object_name(mirror: str) -> str:
    name = "mirror-" + _NO_NAME.sub("-", mirror).strip("-")
    return name[:_LONGEST_NAME].rstrip("-")
