# SPDX-License-Identifier: Apache-2.0
"""What this machine lacks for building images with buildah, for ``okd-payload doctor``.

Nothing is guessed from versions of systems: an image is built, and what stops it is looked into.
"""

from __future__ import annotations

import getpass
import os

import msgspec

from okd_payload import process
from okd_payload.engines import codes
from okd_payload.engines.buildah import program
from okd_payload.engines.buildah.drivers import VFS, Driver, find_driver
from okd_payload.engines.buildah.limits import Limits, limited
from okd_payload.engines.buildah.settings import BuildahSettings
from okd_payload.engines.buildah.storage import Storage, Workspace
from okd_payload.errors import MissingTool, StorageError
from okd_payload.issues import Issue
from okd_payload.locations import Locations

_IDS_NEEDED = 65535
"""Owners in images go up to 65534, nobody."""
_MEGABYTE = 1024 * 1024


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """How images are built here, and what is wrong with that."""

    version: str = ""
    driver: str = ""
    issues: tuple[Issue, ...] = ()


async def check_machine(locations: Locations, settings: BuildahSettings) -> Machine:
    """Look at this machine; nothing is left behind."""
    buildah = settings.program
    try:
        version = ".".join(map(str, await program.find_version(buildah)))
    except MissingTool as error:
        return Machine(issues=(codes.NO_BUILDAH.issue(error.message, hint=error.hint),))
    try:
        async with Storage(locations.buildah).workspace(program=buildah) as workspace:
            program.furnish(workspace)
            driver = await find_driver(workspace, buildah=buildah, wanted=settings.storage_driver)
            await _try_build(workspace, buildah, driver)
    except StorageError as error:
        issues = await _check_users(buildah)
        issue = codes.NO_STORAGE.issue(error.message, hint=error.hint)
        return Machine(version=version, issues=(*issues,) or (issue,))
    return Machine(
        version=version,
        driver=str(driver),
        issues=(*_check_driver(driver), *_check_limits()),
    )


async def _check_users(buildah: str) -> list[Issue]:
    """Whether an ordinary user gets a user namespace with enough ids."""
    if program.is_privileged():
        return []
    user = getpass.getuser()
    more_ids = f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
    outcome = await process.run([buildah, "unshare", "cat", "/proc/self/uid_map"])
    if outcome.code != 0 and "/etc/subuid" in outcome.errors:
        issue = codes.NO_USER_NAMESPACES.issue(f"{user} has no ids for containers", hint=more_ids)
        return [issue]
    if outcome.code != 0:
        return [
            codes.NO_USER_NAMESPACES.issue(
                f"user namespaces do not work here: {outcome.errors.strip()[-300:]}",
                hint="allow them (sysctl user.max_user_namespaces, and on Ubuntu"
                " kernel.apparmor_restrict_unprivileged_userns=0), or build as root",
            )
        ]
    ids = sum(int(line.split()[2]) for line in outcome.output.decode().splitlines())
    if ids >= _IDS_NEEDED:
        return []
    return [
        codes.NO_USER_NAMESPACES.issue(
            f"{user} has {ids} ids for containers, images need {_IDS_NEEDED}", hint=more_ids
        )
    ]


async def _try_build(workspace: Workspace, buildah: str, driver: Driver) -> None:
    """Build an image of one file that belongs to nobody. Raises StorageError."""
    store = program.Store(
        root=workspace.root,
        run_root=workspace.run_root,
        driver=driver.name,
        options=driver.options,
    )
    workspace.dockerfile.write_text("FROM scratch\nCOPY --chown=65534:65534 file /\n")
    (workspace.source / "file").touch()
    command = [buildah, *store.flags, "build", program.policy_flag(workspace)]
    command += ["--isolation=chroot", f"--tag=oci:{workspace.output}"]
    command += [f"--file={workspace.dockerfile}", str(workspace.source)]
    outcome = await program.run(command, workspace)
    if outcome.code != 0:
        raise StorageError(
            f"buildah cannot build the smallest image: {outcome.errors.strip()[-300:]}",
            hint="containers need the right to mount (CAP_SYS_ADMIN) or user namespaces",
        )


def _check_driver(driver: Driver) -> list[Issue]:
    if driver != VFS:
        return []
    return [
        codes.SLOW_STORAGE.issue(
            "only the vfs storage driver works here",
            hint="install fuse-overlayfs, or keep the state folder on ext4 or xfs"
            " (OKD_PAYLOAD_STATE)",
        )
    ]


def _check_limits() -> list[Issue]:
    with limited(Limits(cpus=1, memory=64 * _MEGABYTE), f"check-{os.getpid()}") as group:
        if not group.notice:
            return []
        return [
            codes.NO_RESOURCE_LIMITS.issue(
                group.notice, hint="run as root, or below a systemd user session"
            )
        ]
