# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.engines.buildah.program import OLDEST
from okd_payload.locations import Locations
from okd_payload.machine.distribution import Distribution, read_programs
from okd_payload.machine.examination import examine
from okd_payload.machine.model import Part, State

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'
_ALL = {
    "buildah": "buildah version 1.39.3 (image-spec 1.1.0)",
    "git": "git version 2.47.2",
    "newuidmap": "usage: newuidmap",
    "netavark": "netavark 1.14.0",
    "busybox": "",
    "mmdebstrap": "mmdebstrap 1.5.6",
    "gpg": "gpg (GnuPG) 2.4.7",
    "registry": "registry github.com/docker/distribution 2.8.3",
    "skopeo": "skopeo version 1.18.0",
    "pg_createcluster": "",
    "chromium": "Chromium 142.0.7444.59 built on Debian GNU/Linux 13 (trixie)",
}


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Examines a Debian machine that has the given programs and no others."""

    async def examine_with(programs, *, as_root=True, dynamic=False):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, version in {**programs, "ldd": ""}.items():
            code = 1 if name == "ldd" and not dynamic else 0
            (folder / name).write_text(f"#!/bin/sh\necho '{version}'\nexit {code}\n")
            (folder / name).chmod(0o755)
        (tmp_path / "os-release").write_text(DEBIAN)
        monkeypatch.setenv("PATH", str(folder))
        locations = Locations(cache=tmp_path / "not" / "yet", state=tmp_path)
        return await examine(locations, as_root=as_root, os_release=tmp_path / "os-release")

    return examine_with


def is_ready(examination):
    """Whether nothing stands in the way of the main job."""
    return not any(finding.blocks for finding in examination.findings)


def by_name(examination):
    """The findings of ``examination`` by their names."""
    return {finding.name: finding for finding in examination.findings}


async def test_a_complete_machine_is_ready(look):
    """Where everything is there, nothing is to be mended; another name of a program will do."""
    examination = await look(_ALL)
    assert is_ready(examination)
    assert examination.install == ""
    assert examination.distribution == "Debian GNU/Linux 13 (trixie)"
    found = by_name(examination)
    assert all(finding.state is State.PRESENT for finding in found.values())
    assert found["buildah"].found == "1.39.3"
    assert found["docker-registry"].found == "2.8.3"
    assert "newuidmap" not in found, "root needs no user namespaces"


async def test_what_is_missing_comes_with_its_packages(look):
    """Missing programs are named, and one command of this distribution installs them all."""
    examination = await look({"buildah": _ALL["buildah"]}, as_root=False)
    assert not is_ready(examination)
    install = examination.install.replace(" netavark", "")  # lies outside of the PATH
    assert install == (
        "sudo apt-get install --no-install-recommends"
        " git ca-certificates uidmap busybox-static mmdebstrap gnupg docker-registry skopeo"
        " postgresql chromium"
    )
    gpg = by_name(examination)["gpg"]
    assert gpg.state is State.MISSING
    assert gpg.remedy == "sudo apt-get install --no-install-recommends gnupg"


async def test_extras_do_not_block_the_main_job(look):
    """Without signing, own roots and tests the main job can still be done."""
    programs = {name: _ALL[name] for name in ("buildah", "git")}
    examination = await look(programs)
    assert is_ready(examination)
    assert examination.install.startswith("apt-get install"), "root needs no sudo"


async def test_an_old_program_is_unfit(look):
    """A version below the least one blocks, and says what would do."""
    programs = {**_ALL, "buildah": "buildah version 1.9.2"}
    examination = await look(programs)
    assert not is_ready(examination)
    buildah = by_name(examination)["buildah"]
    assert (buildah.state, buildah.found) == (State.UNFIT, "1.9.2")
    assert buildah.needed == "1.28 or newer"


async def test_busybox_must_be_static(look):
    """A busybox that needs libraries cannot be the base of an image."""
    examination = await look(_ALL, dynamic=True)
    busybox = by_name(examination)["busybox"]
    assert busybox.state is State.UNFIT
    assert busybox.remedy.endswith("busybox-static")


async def test_the_room_of_each_disk_is_said(look):
    """Folders on one disk are one finding, with the options that choose another."""
    examination = await look(_ALL)
    disk = by_name(examination)["disk space"]
    assert disk.found.endswith("GB free for --cache and --state")


async def test_a_full_disk_blocks(tmp_path):
    """A disk without room is unfit, and the option that names another is told."""
    locations = Locations(cache=Path("/proc"), state=tmp_path)
    examination = await examine(locations, as_root=True)
    disks = [finding for finding in examination.findings if finding.name == "disk space"]
    full = [disk for disk in disks if disk.blocks]
    assert [disk.remedy for disk in full] == ["free space, or name a larger disk with --cache"]


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


def test_set_up_and_engine_ask_for_the_same_buildah():
    """The table's least version is the one that the engine insists on."""
    (needs,) = (program.needs for program in read_programs() if program.name == "buildah")
    assert tuple(map(int, needs.split("."))) == OLDEST[:2]
