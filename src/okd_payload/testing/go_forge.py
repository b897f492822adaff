# SPDX-License-Identifier: Apache-2.0
"""A forge of real git repositories with Go modules, below one folder: ``FOLDER/ORG/REPO``.

Repositories are changed with the real git, with a fixed author and date, and no configuration of
the machine reaches them. Copies of shared libraries are laid out as ``go mod vendor`` lays them
out, by hand, so that no Go is needed. Serve the folder with ``git daemon`` or over HTTP, or read
it through ``file://`` URLs.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

DATE = "2024-05-06T07:08:09+0000"
_PERSON = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "A. Person"), ("EMAIL", "person@example.com"), ("DATE", DATE))
}
_SETTINGS = ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant")


class ForgeRepository:
    """One repository of a forge: a work tree on some branch."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        """``ORG/REPO``."""
        if not path.exists():
            path.mkdir(parents=True)
            self.git("init", "--quiet", "--initial-branch=main")
            for setting in _SETTINGS:
                self.git("config", setting, "true")

    @property
    def url(self) -> str:
        """Its URL on this machine, by which it is read through git's whole protocol."""
        return f"file://{self.path}"

    def git(self, *arguments: str) -> str:
        """What git prints; raises CalledProcessError when it fails."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            check=True,
            capture_output=True,
            text=True,
            env={**kept, **nothing, **_PERSON},
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files by path; None removes one."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def commit(self, files: Mapping[str, str | None], *, message: str = "Change") -> str:
        """Commit everything there is, with ``files`` written before; the commit's id."""
        self.write(files)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def propose(
        self, number: int, files: Mapping[str, str | None], *, message: str = "Proposed"
    ) -> str:
        """Let pull request ``number`` change ``files``; its ref, which is on no branch."""
        branch = self.git("branch", "--show-current")
        self.git("switch", "--quiet", "--detach")
        commit = self.commit(files, message=message)
        ref = f"refs/pull/{number}/head"
        self.git("update-ref", ref, commit)
        self.git("switch", "--quiet", branch)
        return ref


class Forge:
    """The repositories below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def repository(self, name: str) -> ForgeRepository:
        """The repository ``ORG/REPO``, empty when it is new."""
        return ForgeRepository(self.root / name, name)


class Vendored(msgspec.Struct, frozen=True, kw_only=True):
    """Copies of some packages of a library, for ``go_component``."""

    library: ForgeRepository
    module: str
    version: str
    packages: tuple[str, ...]
    """Folders of the library."""
    go: str = "1.19"
    indirect: bool = False
    replaced_by: str = ""
    """``PATH VERSION`` of what takes the place of any version of the module."""


def go_library(module: str, packages: Mapping[str, str], *, go: str = "1.19") -> dict[str, str]:
    """The files of a library: Go source by folder."""
    files = {f"{folder}/{folder.rpartition('/')[2]}.go": text for folder, text in packages.items()}
    return {"go.mod": f"module {module}\n\ngo {go}\n", "LICENSE": "free\n", **files}


def go_component(
    module: str, main: str, vendored: Sequence[Vendored], *, go: str = "1.19"
) -> dict[str, str]:
    """The files of a program with copies of libraries, as they are in those now."""
    requires = "".join(
        f"\t{item.module} {item.version}{' // indirect' if item.indirect else ''}\n"
        for item in vendored
    )
    replaced = [item for item in vendored if item.replaced_by]
    files = {
        "main.go": main,
        "go.mod": f"module {module}\n\ngo {go}\n\nrequire (\n{requires})\n"
        + "".join(f"\nreplace {item.module} => {item.replaced_by}\n" for item in replaced),
    }
    listed = ""
    for item in vendored:
        arrow = f" => {item.replaced_by}" if item.replaced_by else ""
        listed += f"# {item.module} {item.version}{arrow}\n## explicit; go {item.go}\n"
        listed += "".join(f"{item.module}/{folder}\n" for folder in sorted(item.packages))
        files |= _copies(item)
    listed += "".join(f"# {item.module} => {item.replaced_by}\n" for item in replaced)
    return files | {"vendor/modules.txt": listed}


def _copies(item: Vendored) -> dict[str, str]:
    files = {}
    for folder in item.packages:
        for path in sorted((item.library.path / folder).iterdir()):
            if path.is_file() and not path.name.endswith("_test.go"):
                files[f"vendor/{item.module}/{folder}/{path.name}"] = path.read_text()
    license_file = item.library.path / "LICENSE"
    if license_file.is_file():
        files[f"vendor/{item.module}/LICENSE"] = license_file.read_text()
    return files
