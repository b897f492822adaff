# SPDX-License-Identifier: Apache-2.0
"""The set-up script on machines that are made of stand-ins for all the programs it calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INPUTS = (
    "setup/install.sh",
    "src/okd_payload/machine/programs.tsv",
    "src/okd_payload/machine/packages.tsv",
    "requirements/development.txt",
    "pyproject.toml",
)
PROGRAMS = (
    *("buildah", "git", "newuidmap", "busybox", "mmdebstrap", "gpg"),
    *("postgres", "chromium", "docker-registry", "skopeo", "python3"),
)
DEBIAN = 'ID=debian\nVERSION_ID="13"\n'
FEDORA = "ID=fedora\nVERSION_ID=43\n"

_LOGGED = '#!/bin/sh\necho "${0##*/} $*" >>"$LOG"\n'
_STUBS = {
    "id": '#!/bin/sh\necho "$USER_ID"\n',
    "ldd": "#!/bin/sh\nexit 1\n",
    "install": _LOGGED,
    "rm": _LOGGED,
    "sudo": '#!/bin/sh\n[ "$SUDO" = yes ] || exit 1\nshift\n[ "$1" = true ] || exec "$@"\n',
    # What they "install" is a stand-in of the program that the package brings.
    "apt-get": _LOGGED + 'exec bring "$@"\n',
    "dnf": _LOGGED
    + '[ "$2" != list ] || case " $ABSENT " in *" $3 "*) exit 1 ;; esac\nexec bring "$@"\n',
    "apt-cache": '#!/bin/sh\ncase " $ABSENT " in *" $3 "*) exit 1 ;; esac\n',
    "bring": """#!/bin/sh
[ "$2" = install ] || exit 0
shift 2
for package; do
  case $package in
    uidmap | shadow-utils) name=newuidmap ;;
    gnupg*) name=gpg ;;
    busybox-static) name=busybox ;;
    docker-distribution) name=registry ;;
    postgresql*) name=postgres ;;
    python3-venv) name=python3 ;;
    *) name=$package ;;
  esac
  cp "$BIN/program" "$BIN/$name"
done
""",
    # Python and all else: `-m venv` makes an environment of the same.
    "program": _LOGGED
    + """case "$*" in
*'-m venv'*)
  mkdir -p .venv/bin
  for name in python pip okd-payload; do cp "$BIN/program" .venv/bin/$name; done
  ;;
esac
""",
}


class Machine:
    """A folder with a copy of what set-up reads, and a PATH of stand-ins."""

    def __init__(self, folder: Path, *, os_release: str = DEBIAN, has=(), **environment: str):
        self.folder = folder / "checkout"
        for path in INPUTS:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target)
        self.bin = folder / "bin"
        self.bin.mkdir()
        has = (*has, "netavark") if has else ()
        for tool in ("sh", "cat", "cksum", "cp", "dirname", "mkdir"):
            (self.bin / tool).symlink_to(shutil.which(tool))
        for name, content in _STUBS.items():
            self.add(name, content)
        for name in has:
            self.add(name)
        (folder / "os-release").write_text(os_release)
        self.log = folder / "log"
        self.environment = {
            "PATH": str(self.bin),
            "BIN": str(self.bin),
            "LOG": str(self.log),
            "OS_RELEASE": str(folder / "os-release"),
            "USER_ID": "0",
            "SUDO": "no",
            "ABSENT": "",
            **environment,
        }

    def add(self, name: str, content: str = _STUBS["program"]) -> None:
        """Put a program called ``name`` on the PATH."""
        (self.bin / name).write_text(content)
        (self.bin / name).chmod(0o755)

    def set_up(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the set-up script."""
        self.log.write_text("")
        return subprocess.run(
            [self.folder / "setup" / "install.sh", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )

    @property
    def commands(self) -> list[str]:
        """What was called to change something, Python's questions left out."""
        lines = self.log.read_text().splitlines()
        lines = [line.replace(" netavark", "") for line in lines]  # lies outside of the PATH
        asked = re.compile(r"^(dnf -q list|pip --version|python\S* -c|import|\))")
        return [line for line in lines if not asked.match(line)]


def test_a_fresh_machine_gets_everything(tmp_path):
    """On a bare Debian, packages and the environment come, each said; then nothing is left."""
    machine = Machine(tmp_path)
    ended = machine.set_up()
    assert ended.returncode == 0, ended.stderr
    refresh, no_cluster, install, a_cluster, venv, pins, project = machine.commands
    assert refresh == "apt-get -qq update"
    assert install.startswith("apt-get -qq install -y --no-install-recommends ")
    assert install.endswith(
        " buildah git ca-certificates uidmap busybox-static mmdebstrap gnupg docker-registry"
        " skopeo postgresql chromium python3 python3-venv"
    )
    kept_away = "/etc/postgresql-common/createcluster.d/okd-payload.conf"
    assert no_cluster == f"install -D -m 0644 setup/no-cluster.conf {kept_away}"
    assert a_cluster == f"rm -f {kept_away}"
    assert venv == "python3 -m venv --clear .venv"
    assert pins.endswith(
        "install --no-deps --require-hashes --requirement requirements/development.txt"
    )
    assert project.endswith("install --no-deps --no-build-isolation --editable .")
    for command in machine.commands[:5]:
        assert f"setup: {command}" in ended.stdout
    assert ended.stdout.endswith("setup: ready: .venv/bin/okd-payload\n")


def test_a_second_run_does_nothing(tmp_path):
    """What is done stays done: no command, no word; until the pins change."""
    machine = Machine(tmp_path, has=PROGRAMS)
    machine.set_up()
    again = machine.set_up()
    assert (again.returncode, again.stdout, again.stderr, machine.commands) == (0, "", "", [])

    (machine.folder / "requirements" / "development.txt").write_text("other pins\n")
    machine.set_up()
    assert len(machine.commands) == 2
    assert "venv" not in machine.commands[0]


def test_only_what_is_missing_is_installed(tmp_path):
    """Programs that are there are left alone."""
    machine = Machine(tmp_path, has=[name for name in PROGRAMS if name != "skopeo"])
    assert machine.set_up().returncode == 0
    assert machine.commands[1].endswith("Timeout=300 skopeo")


def test_another_name_of_the_registry_will_do(tmp_path):
    """Fedora calls the registry ``registry``."""
    machine = Machine(tmp_path, has=[*PROGRAMS[:-3], "registry", "skopeo", "python3"])
    machine.set_up()
    assert not any(line.startswith("apt-get") for line in machine.commands)


def test_a_busybox_with_libraries_is_replaced(tmp_path):
    """Debian's usual busybox needs libraries, which an image made of it would not have."""
    machine = Machine(tmp_path, has=PROGRAMS)
    machine.add("ldd", "#!/bin/sh\nexit 0\n")
    machine.set_up()
    assert machine.commands[1].endswith(" busybox-static")


def test_an_ordinary_user_goes_through_sudo(tmp_path):
    """With sudo that asks nothing, only the package manager runs as root."""
    machine = Machine(tmp_path, USER_ID="1000", SUDO="yes")
    ended = machine.set_up()
    assert ended.returncode == 0
    assert "setup: sudo -n apt-get -qq update" in ended.stdout
    assert "sudo -n python" not in ended.stdout


def test_without_rights_the_command_is_printed(tmp_path):
    """Where nothing may be installed, the user gets the command, and an exit code."""
    machine = Machine(tmp_path, USER_ID="1000", has=PROGRAMS[1:])
    ended = machine.set_up()
    assert ended.returncode == 1
    assert "sudo sh -c 'apt-get -qq update; apt-get -qq install" in ended.stderr
    assert "buildah'" in ended.stderr
    assert machine.commands == []


def test_without_rights_and_without_lists(tmp_path):
    """Before the lists of packages were ever fetched, all missing packages are named."""
    absent = "buildah git ca-certificates"
    machine = Machine(tmp_path, USER_ID="1000", has=PROGRAMS[2:], ABSENT=absent)
    assert f" {absent}'" in machine.set_up().stderr


def test_what_a_distribution_lacks_is_said(tmp_path):
    """A package that does not exist stops nothing; what is off is said once."""
    machine = Machine(tmp_path, os_release=FEDORA, ABSENT="docker-distribution mmdebstrap")
    ended = machine.set_up()
    assert ended.returncode == 0
    install = next(line for line in machine.commands if " install " in line)
    assert install == (
        "dnf -q install -y --setopt=install_weak_deps=False"
        " buildah git shadow-utils busybox gnupg2 skopeo postgresql-server chromium python3"
    )
    assert "no package 'mmdebstrap': mmdebstrap stays away, and with it: roots" in ended.stdout
    assert ended.stdout.endswith("(without mmdebstrap docker-registry)\n")
    assert machine.set_up().stdout == ""


def test_a_failing_package_manager_stops(tmp_path):
    """When packages cannot be installed, set-up fails instead of going on."""
    machine = Machine(tmp_path)
    machine.add("apt-get", '#!/bin/sh\n[ "$2" = update ]\n')
    ended = machine.set_up()
    assert ended.returncode != 0
    assert [line.partition(" ")[0] for line in machine.commands] == ["install", "rm"]
    assert not (machine.folder / ".venv").exists()


def test_a_database_that_is_there_is_left_alone(tmp_path):
    """Nothing is said to Debian about clusters where no server is installed."""
    machine = Machine(tmp_path, has=[name for name in PROGRAMS if name != "skopeo"])
    machine.set_up()
    assert not any("createcluster" in line for line in machine.commands)


def test_stale_lists_do_not_stop(tmp_path):
    """A source of packages that is out of reach is no reason to stop: others may do."""
    machine = Machine(tmp_path)
    failing = _STUBS["apt-get"].replace("exec", '[ "$2" != update ] || exit 100\nexec')
    machine.add("apt-get", failing)
    ended = machine.set_up()
    assert ended.returncode == 0
    assert "could not be refreshed" in ended.stdout


@pytest.mark.parametrize(
    ("os_release", "packages"),
    [
        ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04\n", "python3 python3-venv"),
        ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=22.04\n", "python3.11 python3.11-venv"),
        (FEDORA, "python3"),
        ('ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="9"\n', "python3.12"),
        ("ID='centos'\nID_LIKE='rhel fedora'\nVERSION_ID='10'", "python3"),
    ],
)
def test_python_comes_under_the_name_of_the_release(tmp_path, os_release, packages):
    """Releases with an older default Python bring a newer one under its own name."""
    machine = Machine(tmp_path, os_release=os_release, has=PROGRAMS[:-1])
    machine.set_up()
    install = next(line for line in machine.commands if " install " in line)
    assert re.search(rf"(Timeout=300|deps=False) {re.escape(packages)}$", install)


def test_an_unknown_distribution_is_told_what_to_install(tmp_path):
    """On any other system the names of the programs are all that can be said."""
    ended = Machine(tmp_path, os_release="ID=plan9\n", has=PROGRAMS[1:]).set_up()
    assert ended.returncode == 1
    assert "not 'plan9'" in ended.stderr
    assert "install by hand: buildah" in ended.stderr


def test_the_newest_python_is_taken(tmp_path):
    """Of several that work the newest is taken; those that do not work are passed over."""
    machine = Machine(tmp_path, has=[*PROGRAMS, "python3.11", "python3.12"])
    machine.add("python3.14", "#!/bin/sh\nexit 127\n")
    machine.set_up()
    assert machine.commands[0] == "python3.12 -m venv --clear .venv"


def test_no_python_is_a_clear_end(tmp_path):
    """A machine that has no new enough Python is told so."""
    machine = Machine(tmp_path, has=PROGRAMS[:-1], ABSENT="python3")
    ended = machine.set_up()
    assert ended.returncode == 1
    assert "no Python 3.11 or newer" in ended.stderr


def test_a_moved_checkout_gets_a_new_environment(tmp_path):
    """An environment knows its folder: elsewhere it is made again."""
    machine = Machine(tmp_path, has=PROGRAMS)
    machine.set_up()
    machine.folder = machine.folder.rename(tmp_path / "elsewhere")
    (machine.folder / ".venv" / "bin" / "pip").write_text("#!/gone/python\n")
    machine.set_up()
    assert machine.commands[0] == "python3 -m venv --clear .venv"


def test_printing_changes_nothing(tmp_path):
    """``--print`` says the same commands and runs none of them."""
    machine = Machine(tmp_path, has=PROGRAMS[1:])
    ended = machine.set_up("--print")
    assert ended.returncode == 0
    assert "setup: apt-get -qq install" in ended.stdout
    assert "setup: python3 -m venv --clear .venv" in ended.stdout
    assert machine.commands == []
    assert not (machine.folder / ".venv").exists()


def test_pins_cover_everything_and_name_no_address():
    """Each requirement is pinned by version and hashes; no server or folder is written down."""
    text = (ROOT / "requirements" / "development.txt").read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host|\s@\s|file:", text)
    pins = re.findall(
        r"^([a-z0-9-]+)==\S+(?: ; [^\\]+)?( \\\n    --hash=sha256:\w{64})", text, re.MULTILINE
    )
    assert len(pins) == len(re.findall(r"^\S+==", text, re.MULTILINE))

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.match(r"[\w.-]+", line)[0].lower().replace(".", "-") for line in wanted}
    assert names <= {name for name, _ in pins}


@pytest.mark.parametrize(("name", "columns"), [("programs", 4), ("packages", 3)])
def test_tables_have_all_their_columns(name, columns):
    """A shell reads the tables: no empty cell, no stray blank."""
    lines = (ROOT / f"src/okd_payload/machine/{name}.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(
        len(row) == columns and all(cell == cell.strip() != "" for cell in row) for row in rows
    )


def test_the_entry_points_can_be_run():
    """What people and CI call directly is executable."""
    for path in ("setup/install.sh", ".ci/run"):
        assert os.access(ROOT / path, os.X_OK)
