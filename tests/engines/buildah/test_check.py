# SPDX-License-Identifier: Apache-2.0
"""What is said about machines that lack something; they are played by small programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.engines.buildah import BuildahEngine, BuildahSettings, Network
from okd_payload.engines.buildah.check import Machine, check_machine
from okd_payload.engines.buildah.program import find_version, is_privileged, wrap
from okd_payload.errors import MissingTool, StorageError
from okd_payload.locations import Locations
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.memory_sources import MemorySourceTree

PRETENDER = """\
#!/bin/sh
case "$*" in
--version) echo buildah version {version} "(image-spec 1.0)" ;;
*info) case "$*" in *"{broken}"*) echo "no {broken} here" >&2; exit 125 ;; esac ;;
"unshare cat"*) {unshare} ;;
"unshare rm"*) shift; exec "$@" ;;
*" build "*) {build} ;;
esac
"""


class Pretender:
    """A program that behaves as buildah would on some machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.locations = Locations(cache=path / "cache", state=path / "state")

    async def check(
        self,
        *,
        version: str = "1.41.4",
        broken: str = "nothing",
        unshare: str = 'echo "0 1000 1"; echo "1 100000 65536"',
        build: str = "true",
    ) -> Machine:
        program = self.path / "buildah"
        program.write_text(
            PRETENDER.format(version=version, broken=broken, unshare=unshare, build=build)
        )
        program.chmod(0o755)
        return await check_machine(self.locations, BuildahSettings(program=str(program)))


@pytest.fixture
def pretender(tmp_path) -> Pretender:
    """A machine to be described."""
    return Pretender(tmp_path)


def codes_of(machine: Machine) -> list[str]:
    """The codes of what is wrong, but for limits, which this machine may or may not have."""
    return [issue.code for issue in machine.issues if issue.code != "no-resource-limits"]


async def test_a_good_machine_has_no_issues(pretender) -> None:
    """Version and driver are told; nothing is left in the storage."""
    machine = await pretender.check()

    assert (machine.version, machine.driver) == ("1.41.4", "overlay")
    assert codes_of(machine) == []
    assert list((pretender.locations.buildah / "workspaces").iterdir()) == []


async def test_absence_is_an_issue(pretender) -> None:
    """Without buildah nothing else is looked at."""
    settings = BuildahSettings(program="no-such-buildah")

    machine = await check_machine(pretender.locations, settings)

    assert codes_of(machine) == ["no-buildah"]


@pytest.mark.parametrize("version", ["1.23.1", "0.9.0"])
async def test_old_versions_are_refused(pretender, version) -> None:
    """Named build contexts came with 1.26; the hint says which systems have them."""
    machine = await pretender.check(version=version)

    assert codes_of(machine) == ["no-buildah"]
    assert version in machine.issues[0].message
    assert "Debian 12" in machine.issues[0].hint


async def test_what_is_no_buildah_is_refused(tmp_path) -> None:
    """A program that tells no version is not run any further."""
    with pytest.raises(MissingTool, match="does not name a version"):
        await find_version("true")


async def test_vfs_is_a_warning(pretender) -> None:
    """It works, slowly."""
    machine = await pretender.check(broken="overlay")

    assert machine.driver == "vfs"
    assert codes_of(machine) == ["slow-storage"]


async def test_no_storage_is_an_error_with_all_reasons(pretender) -> None:
    """What buildah said about every driver is shown."""
    machine = await pretender.check(broken="storage-driver")

    assert codes_of(machine) == ["no-storage"]
    assert "overlay: no storage-driver here" in machine.issues[0].message
    assert "vfs: no storage-driver here" in machine.issues[0].message


async def test_a_machine_that_cannot_build_is_told_why(pretender) -> None:
    """The smallest build is tried, and its complaint shown."""
    machine = await pretender.check(build="echo mounting: not permitted >&2; exit 1")

    assert codes_of(machine) == ["no-storage"]
    assert "mounting: not permitted" in machine.issues[0].message


@pytest.mark.parametrize(
    ("unshare", "message", "hint"),
    [
        ('echo "0 1000 1"', "has 1 ids for containers", "usermod --add-subuids"),
        ("echo no ranges in /etc/subuid >&2; exit 1", "no ids for containers", "usermod"),
        ("echo clone: not permitted >&2; exit 1", "clone: not permitted", "max_user_namespaces"),
    ],
)
async def test_users_without_namespaces_are_told_what_to_do(
    pretender, monkeypatch, unshare, message, hint
) -> None:
    """Which part is missing, and the command that adds it."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    machine = await pretender.check(build="exit 1", unshare=unshare)

    assert codes_of(machine) == ["no-user-namespaces"]
    assert message in machine.issues[0].message
    assert hint in machine.issues[0].hint


async def test_an_engine_on_a_bad_machine_says_so(pretender) -> None:
    """Building raises what checking reports."""
    await pretender.check(broken="storage-driver")
    engine = BuildahEngine(
        repository=MemoryRepository(),
        sources=MemorySourceTree(),
        locations=pretender.locations,
        settings=BuildahSettings(program=str(pretender.path / "buildah")),
    )

    with pytest.raises(StorageError, match="cannot use any storage"):
        await engine.build(None, log=pretender.path / "log")


def test_commands_are_kept_from_the_rest(monkeypatch) -> None:
    """Root gets a mount namespace, users have buildah's; no network is a namespace for both."""
    if is_privileged():
        assert wrap(["buildah"]) == ["unshare", "--mount", "--", "buildah"]
        assert wrap(["buildah"], network=Network.NONE)[:3] == ["unshare", "--mount", "--net"]
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert wrap(["buildah"]) == ["buildah"]
    offline = wrap(["buildah"], network=Network.NONE)
    assert offline[:5] == ["buildah", "unshare", "--", "unshare", "--net"]
