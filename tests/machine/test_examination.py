# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.locations import Locations
from okd_payload.machine.distribution import Distribution, read_programs
from okd_payload.machine.examination import Host, examine, this_host
from okd_payload.machine.model import Part, State

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'
_ALL = {
    "buildah": "buildah version 1.39.3 (image-spec 1.1.0)",
    "git": "git version 2.47.2",
    "newuidmap": "usage: newuidmap",
    "busybox": "",
    "mmdebstrap": "mmdebstrap 1.5.6",
    "gpg": "gpg (GnuPG) 2.4.7",
    "registry": "registry github.com/docker/distribution 2.8.3",
    "skopeo": "skopeo version 1.18.0",
}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine that has the given programs and no others; gives what ``examine`` needs."""

    def make(programs, *, os_release=DEBIAN, user_id=0, subids="", unshare=0, dynamic=False):
        folder, etc = tmp_path / "bin", tmp_path / "etc"
        folder.mkdir()
        etc.mkdir()
        for name, version in {**programs, "ldd": ""}.items():
            code = {"buildah": f'[ "$1" = --version ] || {{ echo >&2 denied; exit {unshare}; }}'}
            ending = code.get(name, "exit 0" if dynamic or name != "ldd" else "exit 1")
            (folder / name).write_text(f"#!/bin/sh\necho '{version}'\n{ending}\n")
            (folder / name).chmod(0o755)
        (etc / "os-release").write_text(os_release)
        (etc / "subuid").write_text(subids)
        (etc / "subgid").write_text(subids)
        monkeypatch.setenv("PATH", str(folder))
        locations = Locations(cache=tmp_path / "not" / "yet", state=tmp_path)
        return locations, Host(etc=etc, user="maria", user_id=user_id)

    return make


def by_name(examination):
    """The findings of ``examination`` by their names."""
    return {finding.name: finding for finding in examination.findings}


async def test_a_complete_machine_is_ready(machine):
    """Where everything is there, nothing is to be mended; another name of a program will do."""
    examination = await examine(*machine(_ALL))
    assert examination.ready
    assert examination.install == ""
    assert examination.distribution == "Debian GNU/Linux 13 (trixie)"
    found = by_name(examination)
    assert all(finding.state is State.PRESENT for finding in found.values())
    assert found["buildah"].found == "1.39.3"
    assert found["docker-registry"].found == "2.8.3"
    assert "newuidmap" not in found, "root needs no user namespaces"


async def test_what_is_missing_comes_with_its_packages(machine):
    """Missing programs are named, and one command of this distribution installs them all."""
    examination = await examine(*machine({"buildah": _ALL["buildah"]}, user_id=1000))
    assert not examination.ready
    assert examination.install == (
        "sudo apt-get install --no-install-recommends"
        " git ca-certificates uidmap busybox-static mmdebstrap gnupg docker-registry skopeo"
    )
    gpg = by_name(examination)["gpg"]
    assert gpg.state is State.MISSING
    assert gpg.remedy == "sudo apt-get install --no-install-recommends gnupg"


async def test_extras_do_not_block_the_main_job(machine):
    """Without signing, own roots and tests the main job can still be done."""
    programs = {name: _ALL[name] for name in ("buildah", "git")}
    examination = await examine(*machine(programs))
    assert examination.ready
    assert examination.install.startswith("apt-get install"), "root needs no sudo"


async def test_an_old_program_is_unfit(machine):
    """A version below the least one blocks, and says what would do."""
    programs = {**_ALL, "buildah": "buildah version 1.9.2"}
    examination = await examine(*machine(programs))
    assert not examination.ready
    buildah = by_name(examination)["buildah"]
    assert (buildah.state, buildah.found) == (State.UNFIT, "1.9.2")
    assert buildah.needed == "1.28 or newer"


async def test_busybox_must_be_static(machine):
    """A busybox that needs libraries cannot be the base of an image."""
    examination = await examine(*machine(_ALL, dynamic=True))
    busybox = by_name(examination)["busybox"]
    assert busybox.state is State.UNFIT
    assert busybox.remedy.endswith("busybox-static")


@pytest.mark.parametrize(
    ("subids", "unshare", "state", "told"),
    [
        ("maria:100000:65536\n", 0, State.PRESENT, ""),
        ("1000:100000:65536\n", 0, State.PRESENT, ""),
        ("jan:100000:65536\n", 0, State.MISSING, "sudo usermod --add-subuids"),
        ("maria:100000:65536\n", 1, State.UNFIT, "user.max_user_namespaces"),
    ],
)
async def test_building_without_root(machine, subids, unshare, state, told):
    """An ordinary user needs ranges of ids and a kernel that lets buildah use them."""
    examination = await examine(*machine(_ALL, user_id=1000, subids=subids, unshare=unshare))
    namespaces = by_name(examination)["user namespaces"]
    assert namespaces.state is state
    assert told in namespaces.remedy
    assert examination.ready is (state is State.PRESENT)
    if unshare:
        assert namespaces.found == "denied"


async def test_full_disks_are_noticed(machine, tmp_path):
    """The room of each disk is said, with the options that choose another."""
    locations, host = machine(_ALL)
    (disk,) = [
        finding
        for finding in (await examine(locations, host)).findings
        if finding.name == "disk space"
    ]
    assert disk.found.endswith("GB free for --cache and --state")
    full = Locations(cache=Path("/proc"), state=tmp_path)
    found = (await examine(full, host)).findings
    short = [item for item in found if item.name == "disk space" and item.state is State.UNFIT]
    assert [item.remedy for item in short] == ["free space, or name a larger disk with --cache"]


@pytest.mark.parametrize(
    ("os_release", "command"),
    [
        ("ID=fedora\nVERSION_ID=43\n", "dnf install gnupg2 docker-distribution"),
        ('ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="10"\n', "dnf install gnupg2"),
        ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04\n", "recommends gnupg docker-registry"),
        ("ID=mint\nID_LIKE='ubuntu debian'\nVERSION_ID=22\n", "recommends gnupg"),
        ("ID=arch\n", "install gpg and docker-registry with this system's package manager"),
        ("", "install gpg and docker-registry"),
    ],
)
def test_distributions_find_their_packages(tmp_path, os_release, command):
    """A distribution finds its own packages, else those of what it is like."""
    file = tmp_path / "os-release"
    if os_release:
        file.write_text(os_release)
    told = Distribution(file, as_root=True).command(["gpg", "docker-registry"])
    assert command in told


def test_closer_names_win(tmp_path):
    """The packages of one release come before those of the distribution."""
    file = tmp_path / "os-release"
    file.write_text('ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n')
    assert Distribution(file, as_root=True).command(["python3"]) == "dnf install python3.12"


def test_every_part_has_a_program():
    """The table names programs of all parts, the main job's first."""
    parts = [program.part for program in read_programs()]
    assert set(parts) == set(Part)
    assert parts[0] is Part.BUILD


def test_this_host_knows_its_user():
    """The host that we run on has a user with a name."""
    assert this_host().user
