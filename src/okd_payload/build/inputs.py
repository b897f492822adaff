# SPDX-License-Identifier: Apache-2.0
"""Freezing the sources of a stream: every component gets a commit and its Dockerfile.

All at the same time; the source tree bounds how many for each host, so that a slow one holds up
nobody else, and resolves each source once. What a lock says is not asked for again. A source
that fails does not stop the others: all failures come back together. What fails for all of them
alike, such as an absent git, is raised once.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.build.codes import MISSING_PATCHES, PATCH_CONFLICT, SOURCE_UNAVAILABLE
from okd_payload.build.patches import MissingPatches, read_patches
from okd_payload.catalog.component import Component, Copy
from okd_payload.errors import SourceError
from okd_payload.issues import Issue
from okd_payload.release.concurrency import map_concurrently
from okd_payload.source.alteration import PatchConflict
from okd_payload.source.lock import Lock
from okd_payload.source.model import Commit, Source, SourceTree

_AT_ONCE = 512


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: commits and Dockerfiles by component name."""

    commits: dict[str, Commit] = {}
    """Absent for a component without source, or whose source cannot be read."""
    bases: dict[str, Commit] = {}
    """What `commits` with patches in them are made from."""
    dockerfiles: dict[str, bytes] = {}
    """Absent for a component whose Dockerfile is not in its source."""
    foreseen: dict[str, bytes] = {}
    """Dockerfiles that an input will bring, where it is known what will be in its image."""
    issues: tuple[Issue, ...] = ()

    def __add__(self, other: Inputs) -> Inputs:
        """Both, in order."""
        return Inputs(
            commits=self.commits | other.commits,
            bases=self.bases | other.bases,
            dockerfiles=self.dockerfiles | other.dockerfiles,
            foreseen=self.foreseen | other.foreseen,
            issues=self.issues + other.issues,
        )


async def read_inputs(
    components: Sequence[Component], sources: SourceTree, *, lock: Lock
) -> Inputs:
    """The commits and Dockerfiles of ``components``; those in ``lock`` are taken as they are.

    Raises MissingTool or StorageError when no source can be read at all.
    """

    async def read(component: Component) -> Inputs:
        return await _read(component, sources, lock)

    found = await map_concurrently(read, components, at_once=_AT_ONCE)
    return sum(found, start=Inputs())


def dockerfile_location(component: Component) -> str:
    """The path of the Dockerfile from the root of the source, normalised."""
    path = posixpath.join(component.context_directory, component.dockerfile_path)
    return posixpath.normpath(path)


def brings_dockerfile(component: Component, copy: Copy) -> bool:
    """Whether ``copy`` may put the Dockerfile of ``component`` in its place.

    A file or folder lands in the destination under its own name, and of ``FOLDER/.`` the content
    (``okd-pipelines.md`` 1.4, item 2).
    """
    name = "" if copy.source.endswith("/.") else posixpath.basename(copy.source.rstrip("/"))
    landed = posixpath.normpath(posixpath.join(copy.destination, name))
    wanted = dockerfile_location(component)
    return landed in (".", wanted) or wanted.startswith(f"{landed}/")


async def _read(component: Component, sources: SourceTree, lock: Lock) -> Inputs:
    name, source = component.name, component.source
    inline = {} if component.dockerfile is None else {name: component.dockerfile.encode()}
    if source is None:
        return Inputs(dockerfiles=inline)
    try:
        base = lock.commit_of(name, source) or await sources.resolve(source)
        commit = await _patch(component, source, base, sources)
        bases = {} if commit is base else {name: base}
        if inline:
            return Inputs(commits={name: commit}, bases=bases, dockerfiles=inline)
        content = await sources.read_file(source, commit, dockerfile_location(component))
    except PatchConflict as error:
        issue = PATCH_CONFLICT.issue(
            error.message, component=name, file=error.patch.name, hint=error.hint
        )
        return Inputs(dockerfiles=inline, issues=(issue,))
    except MissingPatches as error:
        issue = MISSING_PATCHES.issue(
            error.message,
            component=name,
            file=component.origin.file,
            line=component.origin.line,
            hint=error.hint,
        )
        return Inputs(dockerfiles=inline, issues=(issue,))
    except SourceError as error:
        issue = SOURCE_UNAVAILABLE.issue(
            error.message,
            component=name,
            file=component.origin.file,
            line=component.origin.line,
            hint=error.hint,
        )
        return Inputs(dockerfiles=inline, issues=(issue,))
    dockerfiles = {} if content is None else {name: content}
    return Inputs(commits={name: commit}, bases=bases, dockerfiles=dockerfiles)


async def _patch(
    component: Component, source: Source, commit: Commit, sources: SourceTree
) -> Commit:
    """``commit`` with the patches of ``component`` in it."""
    if not component.patches:
        return commit
    return await sources.alter(source, commit, read_patches(Path(component.patches)))
