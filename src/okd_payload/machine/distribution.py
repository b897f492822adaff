# SPDX-License-Identifier: Apache-2.0
"""Which programs are needed, and which packages of which distribution bring them.

The tables beside this module are the same that ``setup/install.sh`` reads, which has to say the
same before any of this can run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from okd_payload.machine.model import Part

_TABLES = Path(__file__).parent
_MANAGERS = {
    "debian": "apt-get install --no-install-recommends",
    "fedora": "dnf install",
}


class Program(msgspec.Struct, frozen=True):
    """A line of ``programs.tsv``."""

    names: str
    needs: str
    part: Part
    purpose: str

    @property
    def name(self) -> str:
        """What it is called first of all."""
        return self.names.partition("|")[0]

    def find(self) -> str | None:
        """Its path, under whichever of its names it has here."""
        return next((path for name in self.names.split("|") if (path := shutil.which(name))), None)


class Distribution:
    """The distribution of a machine, and how packages get on it."""

    def __init__(self, os_release: Path, *, as_root: bool) -> None:
        fields = _read_assignments(os_release)
        version = fields.get("VERSION_ID", "")
        ids = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
        self.name = fields.get("PRETTY_NAME", "an unknown distribution")
        self._become_root = "" if as_root else "sudo "
        self._families = [
            family
            for name in ids
            for family in (f"{name}-{version}", f"{name}-{version.partition('.')[0]}", name)
        ]

    def command(self, programs: list[str]) -> str:
        """What installs ``programs`` here."""
        packages = " ".join(self._packages_of(program) for program in programs)
        manager = next((_MANAGERS[name] for name in self._families if name in _MANAGERS), None)
        if manager is None:
            return f"install {' and '.join(programs)} with this system's package manager"
        return f"{self._become_root}{manager} {packages}"

    def _packages_of(self, program: str) -> str:
        rows = _read_table("packages.tsv")
        listed = {(row[0], row[1]): row[2] for row in rows}
        fits = (listed.get((family, program)) for family in self._families)
        return next((packages for packages in fits if packages), program)


def read_programs() -> list[Program]:
    """The programs that the product uses, the most important first."""
    return [
        Program(names, needs, Part(part), purpose)
        for names, needs, part, purpose in _read_table("programs.tsv")
    ]


def _read_table(name: str) -> list[list[str]]:
    lines = (_TABLES / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def _read_assignments(path: Path) -> dict[str, str]:
    """The fields of an os-release file; none when there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key: value.strip("\"'") for key, _, value in pairs}
