# SPDX-License-Identifier: Apache-2.0
"""A changed repository as it is then: its commit, and the Go modules in it.

The module paths that it declares are read, not guessed from its URL: a fork declares those of
the repository it was forked from, and ``k8s.io/api`` says nothing about where it is.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import msgspec

from okd_payload.build.impact.change import Change
from okd_payload.catalog.go_modules.dependence import GO_MOD
from okd_payload.catalog.go_modules.go_mod import GoMod, read_go_mod
from okd_payload.oci.threads import finish_in_thread
from okd_payload.source.content import list_files
from okd_payload.source.lock import Lock
from okd_payload.source.model import Commit, SourceTree

_MAJOR = re.compile(r"/v([2-9]|[1-9]\d+)$")
_PASSED_OVER = frozenset({"vendor", "testdata", "node_modules"})


class ChangedModule(msgspec.Struct, frozen=True, kw_only=True):
    """A Go module of a changed repository, checked out below ``folder``."""

    path: str
    """As its ``go.mod`` declares it."""
    names: frozenset[str]
    """Its path, and those that its repository gives it."""
    folder: Path
    go_mod: GoMod
    version: str
    """The version that the go command would give to its commit."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A change with everything in it that others may depend on."""

    change: Change
    commit: Commit
    repositories: frozenset[str]
    """``ORG/REPO`` of it, and of the repository it is a fork of."""
    modules: tuple[ChangedModule, ...]


async def look_into(change: Change, sources: SourceTree, *, lock: Lock, folder: Path) -> Changed:
    """What ``change`` changes, checked out into the empty ``folder``.

    Raises SourceError when it cannot be had, InvalidDocument for a ``go.mod`` that is none.
    """
    commit = lock.commit_of(change.lock_name, change.source)
    commit = commit or await sources.resolve(change.source)
    await sources.check_out(change.source, commit, folder)
    modules = await finish_in_thread(_find_modules, change, commit, folder)
    declared = [_forge_name(module.path) for module in modules if module.folder == folder]
    return Changed(
        change=change,
        commit=commit,
        repositories=frozenset({change.repository, *filter(None, declared)}),
        modules=tuple(modules),
    )


def pseudo_version(path: str, commit: Commit) -> str:
    """The version that stands for ``commit`` of the module ``path`` in lists of modules."""
    from datetime import UTC, datetime

    major = _MAJOR.search(path) or re.search(r"^gopkg\.in/.*\.v([1-9]\d*)$", path)
    moment = datetime.fromtimestamp(commit.time, UTC)
    return f"v{major[1] if major else 0}.0.0-{moment:%Y%m%d%H%M%S}-{commit.id[:12]}"


def _find_modules(change: Change, commit: Commit, folder: Path) -> list[ChangedModule]:
    found = []
    for file in sorted(list_files(folder)):
        within, _, name = file.rpartition("/")
        linked = (folder / file).is_symlink()  # it may lead anywhere on this machine
        if name == GO_MOD and not linked and not _PASSED_OVER & set(within.split("/")):
            found.append(_read(change, commit, folder, within))
    return found


def _read(change: Change, commit: Commit, folder: Path, within: str) -> ChangedModule:
    shown = posixpath.join(change.repository, within, GO_MOD)
    go_mod = read_go_mod((folder / within / GO_MOD).read_bytes(), path=shown)
    major = _MAJOR.search(go_mod.module)
    suffix = major[0] if major and f"/{within}".endswith(major[0]) is False else ""
    places = {
        posixpath.join(host, change.repository, within).rstrip("/") + suffix
        for host in change.module_hosts
    }
    return ChangedModule(
        path=go_mod.module,
        names=frozenset({go_mod.module, *places}),
        folder=folder / within if within else folder,
        go_mod=go_mod,
        version=pseudo_version(go_mod.module, commit),
    )


def _forge_name(module: str) -> str:
    """``ORG/REPO`` of a module path that begins with its repository's URL; else nothing."""
    parts = module.split("/")
    return "/".join(parts[1:3]) if len(parts) > 2 and "." in parts[0] else ""
