# SPDX-License-Identifier: Apache-2.0
"""Which storage driver works here.

``overlay`` is tried first, then ``overlay`` through fuse-overlayfs (in containers whose own file
system is an overlay), then ``vfs``, which works everywhere and copies every image it builds on.
"""

from __future__ import annotations

import shutil

import msgspec

from okd_payload.engines.buildah import program
from okd_payload.engines.buildah.storage import Workspace
from okd_payload.errors import StorageError


class Driver(msgspec.Struct, frozen=True):
    """A storage driver with its options."""

    name: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.name, *(f"({option})" for option in self.options)))


VFS = Driver("vfs")


async def find_driver(workspace: Workspace, *, buildah: str, wanted: str) -> Driver:
    """The first driver that works in ``workspace``; only ``wanted`` ones when it is not empty.

    Raises StorageError with what buildah said about each.
    """
    complaints = []
    for number, driver in enumerate(_candidates(wanted)):
        store = program.Store(
            root=workspace.path / f"probe-{number}" / "root",
            run_root=workspace.path / f"probe-{number}" / "run",
            driver=driver.name,
            options=driver.options,
        )
        outcome = await program.run([buildah, *store.flags, "info"], workspace)
        if outcome.code == 0:
            return driver
        complaints.append(f"{driver}: {outcome.errors.strip()[-300:]}")
    raise StorageError(
        f"buildah cannot use any storage in {workspace.path}: {'; '.join(complaints)}",
        hint="`okd-payload doctor` says what this machine lacks for building images",
    )


def _candidates(wanted: str) -> list[Driver]:
    drivers = [Driver("overlay")]
    mount_program = shutil.which("fuse-overlayfs")
    if mount_program is not None:
        drivers.append(Driver("overlay", (f"overlay.mount_program={mount_program}",)))
    drivers.append(VFS)
    return [driver for driver in drivers if wanted in ("", driver.name)]
