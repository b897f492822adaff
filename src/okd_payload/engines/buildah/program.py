# SPDX-License-Identifier: Apache-2.0
"""The buildah command line, in surroundings that are the same on every machine.

Buildah reads a dozen files of the system and the user: registries, mirrors, policies, default
environment, mounted secrets, storage options. All of them are replaced, because any of them
could change an image or stop a build. Nothing is ever pulled: images come from our storage.

Root's mounts are made in a mount namespace of their own, so none survives a kill; an ordinary
user's buildah makes such a namespace itself.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from okd_payload import process
from okd_payload.engines.buildah.limits import Group
from okd_payload.engines.buildah.settings import Network
from okd_payload.engines.buildah.storage import Workspace
from okd_payload.errors import MissingTool

OLDEST = (1, 28, 0)
"""The oldest version that our tests know; before 1.26 there are no named build contexts."""
_VERSION = re.compile(r"buildah version (\d+)\.(\d+)\.(\d+)")
_CAP_SYS_ADMIN = 21
_MOST_FILES = 65536
_MOST_PROCESSES = 32768
"""Buildah 1.28 sets this limit before any other, and none can be raised again."""
_ANY_STORAGE = '[storage]\ndriver = "vfs"\n'
"""Buildah logs an error when no driver is named here, although our options always name it."""
_ONLY_LOOPBACK = 'ip link set lo up 2>/dev/null; exec "$@"'

Version = tuple[int, int, int]


class Store(msgspec.Struct, frozen=True):
    """A storage of buildah's, with the driver that was found to work."""

    root: Path
    run_root: Path
    driver: str
    options: tuple[str, ...] = ()
    images: Path | None = None
    """The root of another storage, whose images are used and never changed."""

    @property
    def flags(self) -> list[str]:
        """The global options that select this storage."""
        options = [*self.options]
        if self.images is not None:
            options.append(f"{self.driver}.imagestore={self.images}")
        flags = [f"--root={self.root}", f"--runroot={self.run_root}"]
        flags.append(f"--storage-driver={self.driver}")
        return [*flags, *(f"--storage-opt={option}" for option in options)]


async def find_version(program: str) -> Version:
    """Buildah's version. Raises MissingTool when it is absent or too old."""
    process.find_program(program, needed_for="building images on this machine")
    outcome = await process.run([program, "--version"])
    matched = _VERSION.search(outcome.output.decode(errors="replace"))
    if matched is None:
        raise MissingTool(
            f"{program} --version does not name a version of buildah",
            hint="`okd-payload doctor` shows the command that installs it",
        )
    version = (int(matched[1]), int(matched[2]), int(matched[3]))
    if version < OLDEST:
        raise MissingTool(
            f"buildah {'.'.join(matched.groups())} is too old",
            hint=f"{OLDEST[0]}.{OLDEST[1]} or newer is needed; Debian 12, Ubuntu 24.04, Fedora"
            " and CentOS Stream have it",
        )
    return version


def wrap(command: Sequence[str], *, network: Network = Network.HOST) -> list[str]:
    """``command``, which begins with buildah, with mounts, and maybe a network, of its own."""
    offline = network is Network.NONE
    inner = ["sh", "-c", _ONLY_LOOPBACK, "sh", *command] if offline else list(command)
    if is_privileged():
        return ["unshare", "--mount", *(["--net"] if offline else []), "--", *inner]
    if offline:
        return [command[0], "unshare", "--", "unshare", "--net", "--", *inner]
    return inner


def is_privileged() -> bool:
    """Whether we may mount without a user namespace."""
    if os.geteuid() != 0:
        return False
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    return effective is not None and bool(int(effective[1], 16) >> _CAP_SYS_ADMIN & 1)


def furnish(workspace: Workspace) -> None:
    """Write what stands in for the machine's configuration."""
    (workspace.home / "run").mkdir(mode=0o700, exist_ok=True)
    (workspace.home / "empty").touch()
    (workspace.home / "storage.conf").write_text(_ANY_STORAGE)
    (workspace.home / "policy.json").write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
    limits = [
        f"nofile={_limit(resource.RLIMIT_NOFILE, _MOST_FILES)}",
        f"nproc={_limit(resource.RLIMIT_NPROC, _MOST_PROCESSES)}",
    ]
    (workspace.home / "containers.conf").write_text(
        f"[containers]\ndefault_ulimits = {msgspec.json.encode(limits).decode()}\n"
    )


def environment(workspace: Workspace) -> dict[str, str | None]:
    """The variables under which buildah sees only what ``furnish`` wrote."""
    home = workspace.home
    folders = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    return {
        **dict.fromkeys(folders, str(home)),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "TMPDIR": str(workspace.temporary),
        "CONTAINERS_CONF": str(home / "containers.conf"),
        "CONTAINERS_CONF_OVERRIDE": None,
        "CONTAINERS_STORAGE_CONF": str(home / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(home / "empty"),
        "SOURCE_DATE_EPOCH": None,
        "STORAGE_OPTS": None,
        "LC_ALL": "C.UTF-8",
    }


def policy_flag(workspace: Workspace) -> str:
    """The option by which no signature policy of the machine is asked."""
    return f"--signature-policy={workspace.home / 'policy.json'}"


async def run(
    command: Sequence[str],
    workspace: Workspace,
    *,
    log: IO[bytes] | None = None,
    network: Network = Network.HOST,
    group: Group | None = None,
) -> process.Outcome:
    """Run ``command``, which begins with buildah, in ``workspace``, which stays alive with it."""
    wrapped = wrap(command, network=network)
    return await process.run(
        group.wrap(wrapped) if group else wrapped,
        directory=workspace.path,
        environment=environment(workspace),
        log=log,
        held=(workspace.lock,),
    )


def _limit(kind: int, most: int) -> str:
    _, hard = resource.getrlimit(kind)
    value = most if hard == resource.RLIM_INFINITY else min(hard, most)
    return f"{value}:{value}"
