# SPDX-License-Identifier: Apache-2.0
"""Which member of an index fits a machine.

Platforms are written ``os/architecture[/variant]`` with Go's names; the names that Linux itself
uses (``x86_64``, ``aarch64``) are understood. Of several members that fit, the first wins, as the
specification asks (image-index.md); one without a platform fits where no other does.
"""

from __future__ import annotations

import platform as machine
import re

from okd_payload.errors import InvalidReference, NotFound
from okd_payload.oci.manifest import Descriptor, Index, Platform

_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_DEFAULT_VARIANTS = {"arm64": "v8", "arm": "v7"}
_PLATFORM = re.compile(r"([a-z0-9]+)/([a-z0-9_]+)(?:/([A-Za-z0-9.]+))?")


def parse_platform(text: str) -> Platform:
    """``text`` as a platform; the system may be left out. Raises InvalidReference."""
    matched = _PLATFORM.fullmatch(text if "/" in text else f"linux/{text}")
    if not matched:
        raise InvalidReference(
            f"{text[:100]!r} is not a platform", hint="write os/architecture, as in linux/amd64"
        )
    system, architecture, variant = matched.groups()
    return Platform(
        architecture=_GO_NAMES.get(architecture, architecture), os=system, variant=variant or ""
    )


def host_platform() -> Platform:
    """The platform of images that run on this machine: Linux, on its processor."""
    architecture = machine.machine().lower()
    return Platform(architecture=_GO_NAMES.get(architecture, architecture))


def choose_member(index: Index, platform: Platform | None, *, name: str) -> Descriptor:
    """The member for ``platform``; without one, the only member or that for this machine.

    ``name`` is the index's, for the error: NotFound when no member fits.
    """
    members = image_members(index)
    if platform is None and len(members) == 1:
        return members[0]
    wanted = platform or host_platform()
    for member in members:
        if member.platform is not None and _fits(member.platform, wanted):
            return member
    for member in members:
        if member.platform is None:
            return member
    offered = ", ".join(str(member.platform) for member in members) or "nothing"
    raise NotFound(f"{name} has no image for {wanted}", hint=f"it has: {offered}")


def image_members(index: Index) -> list[Descriptor]:
    """The members of ``index`` that are images.

    BuildKit lists its attestations as members for a machine that does not exist.
    """
    return [
        member
        for member in index.manifests
        if member.platform is None or member.platform.architecture != "unknown"
    ]


def _fits(offered: Platform, wanted: Platform) -> bool:
    default = _DEFAULT_VARIANTS.get(wanted.architecture, "")
    return (
        offered.os == wanted.os
        and offered.architecture == wanted.architecture
        and (not wanted.variant or (offered.variant or default) == wanted.variant)
    )
