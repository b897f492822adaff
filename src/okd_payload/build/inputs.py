# SPDX-License-Identifier: Apache-2.0
"""Freezing the sources of a stream: every component gets a commit and its Dockerfile's text.

All at the same time; the source tree bounds how many and resolves each source once. What a lock
says is not asked for again. A source that fails does not stop the others: all failures come
back together.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Sequence

import msgspec

from okd_payload.build.codes import SOURCE_UNAVAILABLE
from okd_payload.catalog.component import Component
from okd_payload.errors import SourceError
from okd_payload.issues import Issue
from okd_payload.source.lock import Lock
from okd_payload.source.model import Commit, Source, SourceTree


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: commits and Dockerfiles by component name."""

    commits: dict[str, Commit]
    dockerfiles: dict[str, str]
    """Absent for a component whose Dockerfile is not in its source."""
    issues: tuple[Issue, ...] = ()


async def read_inputs(
    components: Sequence[Component],
    sources: SourceTree,
    *,
    lock: Lock,
) -> Inputs:
    """The commits and Dockerfiles of ``components``; those in ``lock`` are taken as they are."""
    reader = _Reader(sources, lock)
    async with asyncio.TaskGroup() as group:
        for component in components:
            group.create_task(reader.read(component))
    return Inputs(
        commits=dict(sorted(reader.commits.items())),
        dockerfiles=dict(sorted(reader.dockerfiles.items())),
        issues=tuple(sorted(reader.issues, key=lambda issue: issue.component)),
    )


def dockerfile_location(component: Component) -> str:
    """The path of the Dockerfile from the root of the source, normalised."""
    path = posixpath.join(component.context_directory, component.dockerfile_path)
    return posixpath.normpath(path)


class _Reader:
    def __init__(self, sources: SourceTree, lock: Lock) -> None:
        self._sources = sources
        self._lock = lock
        self.commits: dict[str, Commit] = {}
        self.dockerfiles: dict[str, str] = {}
        self.issues: list[Issue] = []

    async def read(self, component: Component) -> None:
        if component.dockerfile is not None:
            self.dockerfiles[component.name] = component.dockerfile
        if component.source is None:
            return
        try:
            await self._read_source(component, component.source)
        except SourceError as error:
            self.issues.append(
                SOURCE_UNAVAILABLE.issue(
                    error.message,
                    component=component.name,
                    file=component.origin.file,
                    line=component.origin.line,
                    hint=error.hint,
                )
            )

    async def _read_source(self, component: Component, source: Source) -> None:
        commit = self._lock.commit_of(component.name, source)
        commit = commit or await self._sources.resolve(source)
        self.commits[component.name] = commit
        if component.dockerfile is not None:
            return
        content = await self._sources.read_file(source, commit, dockerfile_location(component))
        if content is not None:
            self.dockerfiles[component.name] = content.decode(errors="replace")
