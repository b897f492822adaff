# SPDX-License-Identifier: Apache-2.0
"""The tools that a release carries, as a table, and which of them are wanted.

The table is ``targets.tsv``; what all targets of one command share is here. Names, places and
archives are those of ``oc``, which scripts and download pages rely on.
"""

from __future__ import annotations

import enum
import functools
import sys
from collections.abc import Collection
from pathlib import Path

import msgspec

from okd_payload.errors import InputError, ReleaseError, UnknownName
from okd_payload.oci.platform import host_platform
from okd_payload.release.extract import markers
from okd_payload.release.extract.markers import Marker

EVERY_SYSTEM = "*"
_TABLE = Path(__file__).with_name("targets.tsv")
_RELEASE_ARCHITECTURE = "release"
_SYSTEMS = {"mac": "darwin"}
_HOST_SYSTEMS = {"darwin": "darwin", "win32": "windows"}
_SIGNED = ("darwin", "arm64")
_OC, _INSTALL = (markers.VERSION,), (markers.IMAGE, markers.VERSION, markers.ARCHITECTURE)


class Rule(enum.Enum):
    """When a target is taken, and whether it must be there."""

    ALWAYS = "always"
    NEWER = "newer"
    ASKED = "asked"


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """What the targets of one command share."""

    installed_as: str
    """The name of the program."""
    readme: str
    markers: tuple[Marker, ...] = ()
    links: tuple[str, ...] = ()


_CLIENT = Tool(installed_as="oc", readme="client", markers=_OC, links=("kubectl",))
_CREDENTIALS = Tool(installed_as="ccoctl", readme="credentials")
_TOOLS = {
    **dict.fromkeys(("oc", "oc.rhel8", "oc.rhel9"), _CLIENT),
    **dict.fromkeys(("ccoctl", "ccoctl.rhel8", "ccoctl.rhel9"), _CREDENTIALS),
    **{
        name: Tool(installed_as=name, readme="install", markers=_INSTALL)
        for name in ("openshift-install", "openshift-baremetal-install", "openshift-install-fips")
    },
}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One program for one platform: where it lies and what becomes of it."""

    command: str
    system: str
    architecture: str
    """Empty for that of the release."""
    image: str
    path: str
    archive: str
    rule: Rule

    @property
    def tool(self) -> Tool:
        """What it shares with other targets of its command."""
        return _TOOLS[self.command]

    @property
    def is_signed(self) -> bool:
        """Whether its system runs signed programs only."""
        return (self.system, self.architecture) == _SIGNED

    @property
    def is_for_windows(self) -> bool:
        """Whether it runs on Windows."""
        return self.system == "windows"

    @property
    def program_name(self) -> str:
        """What it is called in an archive."""
        return self.tool.installed_as + (".exe" if self.is_for_windows else "")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants: a command or all, for a platform or all."""

    command: str = ""
    """Empty for every command that is not only taken by name."""
    system: str
    architecture: str

    @property
    def as_archives(self) -> bool:
        """Whether archives are wanted, and not one program as it is."""
        return not self.command or self.system == EVERY_SYSTEM

    def __str__(self) -> str:
        return f"{self.system}/{self.architecture}"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The targets that fit a wish, and the images that the release lacks for others."""

    targets: tuple[Target, ...]
    missing_images: tuple[str, ...] = ()
    """Images that must be there."""
    skipped_images: tuple[str, ...] = ()
    """Images that older releases do not have."""


@functools.cache
def all_targets() -> tuple[Target, ...]:
    """The table."""
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return tuple(
        Target(
            command=command,
            system=system,
            architecture="" if architecture == _RELEASE_ARCHITECTURE else architecture,
            image=image,
            path=path,
            archive=archive,
            rule=Rule(rule),
        )
        for command, system, architecture, image, path, archive, rule in rows
    )


def read_wish(command: str, platform: str) -> Wish:
    """What --command and --command-os ask for. Raises InputError and UnknownName."""
    known = sorted({target.command for target in all_targets()})
    if command and command not in known:
        raise UnknownName("command", command, known=known, hint=f"there are: {', '.join(known)}")
    if not platform:
        system = _HOST_SYSTEMS.get(sys.platform, "linux")
        architecture = host_platform().architecture
        return Wish(command=command, system=system, architecture=architecture)
    if platform == EVERY_SYSTEM:
        return Wish(command=command, system=EVERY_SYSTEM, architecture=EVERY_SYSTEM)
    system, slash, architecture = platform.partition("/")
    if not system or "/" in architecture or (slash and not architecture):
        raise InputError(
            f"invalid --command-os value {platform!r}",
            hint="write linux, mac, windows, one of them with /ARCHITECTURE, or *",
        )
    return Wish(
        command=command,
        system=_SYSTEMS.get(system, system),
        architecture=architecture or "amd64",
    )


def choose_targets(
    wish: Wish, *, architecture: str, images: Collection[str], release: str
) -> Choice:
    """The targets of a release for ``architecture`` with these ``images`` that fit ``wish``.

    ``release`` names the release in errors: InputError when nobody has such a target,
    ReleaseError when the release lacks every image that is needed.
    """
    wanted = [target for target in all_targets() if _fits(target, wish, architecture)]
    if not wanted:
        what = f"the command {wish.command!r} is" if wish.command else "tools are"
        platforms = {
            f"{target.system}/{target.architecture or architecture}"
            for target in all_targets()
            if wish.command in ("", target.command)
        }
        raise InputError(
            f"{what} not available for {wish} on {release}",
            hint=f"there are: {', '.join(sorted(platforms))}",
        )
    absent = [target for target in wanted if target.image not in images]
    names = {target.image for target in absent}
    required = {target.image for target in absent if target.rule is not Rule.NEWER}
    targets = tuple(target for target in wanted if target.image in images)
    if not targets:
        raise _without_images(sorted(names))
    return Choice(
        targets=targets,
        missing_images=tuple(sorted(required)),
        skipped_images=tuple(sorted(names - required)),
    )


def _fits(target: Target, wish: Wish, architecture: str) -> bool:
    if wish.command != target.command if wish.command else target.rule is Rule.ASKED:
        return False
    if wish.system not in (EVERY_SYSTEM, target.system):
        return False
    if wish.architecture not in (EVERY_SYSTEM, target.architecture or architecture):
        return False
    return target.architecture != architecture or not _has_native_target(target)


def _has_native_target(target: Target) -> bool:
    """Whether the release's own architecture has a row of its own for the same command."""
    return any(
        (other.command, other.system, other.architecture) == (target.command, target.system, "")
        for other in all_targets()
    )


def _without_images(names: list[str]) -> ReleaseError:
    hint = "the release may be older than the tool, or made without it"
    if len(names) == 1:
        return ReleaseError(
            f'the image "{names[0]}" containing the desired command is not available', hint=hint
        )
    return ReleaseError(f"some required images are missing: {', '.join(names)}", hint=hint)
