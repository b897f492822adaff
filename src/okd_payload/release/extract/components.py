# SPDX-License-Identifier: Apache-2.0
"""The sources of a release: every repository once, at the commit that its images say.

Where components were built from different commits of one repository, the commit of the first
one counts, as for ``oc``, and an issue names the others. Nothing that goes wrong with one
repository keeps the others from being checked out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from okd_payload.errors import ContentError, OkdPayloadError, SourceError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.layers.entry import rooted_path
from okd_payload.progress import Noticed, Progress, ignore_progress
from okd_payload.release import labels
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.extract import codes

_AT_ONCE = 8
_OVER_SSH = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>[^/].*)")


class ComponentSource(msgspec.Struct, frozen=True, kw_only=True):
    """A repository, and the commit of it that a release was built from."""

    url: str
    commit: str
    folder: str
    """Where it belongs, below the folder of all sources."""
    components: tuple[str, ...]
    others: tuple[str, ...] = ()
    """Further commits that images say."""


class CheckOut(Protocol):
    """Makes a folder a clone; ``source.clone.Clones.check_out`` is one."""

    async def __call__(self, url: str, commit: str, folder: Path) -> None:
        """Check ``commit`` of ``url`` out into ``folder``. Raises SourceError."""
        ...


def sources_of(tags: Iterable[TagReference]) -> list[ComponentSource]:
    """The repositories of all images that say where they come from, in their order."""
    commits: dict[str, dict[str, list[str]]] = {}
    for tag in tags:
        found = tag.annotations or {}
        url, commit = found.get(labels.SOURCE, ""), found.get(labels.COMMIT_ID, "")
        if url and commit:
            commits.setdefault(url, {}).setdefault(commit, []).append(tag.name)
    return [
        ComponentSource(
            url=url,
            commit=next(iter(by_commit)),
            folder=folder_of(url),
            components=tuple(name for names in by_commit.values() for name in names),
            others=tuple(by_commit)[1:],
        )
        for url, by_commit in commits.items()
    ]


def folder_of(url: str) -> str:
    """``HOST/PATH`` of a repository; empty when its URL has no such thing."""
    over_ssh = None if "://" in url else _OVER_SSH.fullmatch(url)
    try:
        parts = urlsplit(url)
        host = over_ssh["host"] if over_ssh else parts.hostname or ""
    except ValueError:
        return ""
    path = (over_ssh["path"] if over_ssh else parts.path).strip("/").removesuffix(".git")
    try:
        folder = rooted_path(posixpath.join(host, path))
    except ContentError:
        return ""
    return folder if host and folder.startswith(f"{host}/") else ""


async def check_out_sources(
    sources: Iterable[ComponentSource],
    folder: Path,
    *,
    check_out: CheckOut,
    progress: Progress = ignore_progress,
) -> list[Issue]:
    """Check all ``sources`` out below ``folder``. What could not be is told, not raised."""

    async def work(source: ComponentSource) -> list[Issue]:
        progress(Noticed(subject=source.url, message="Cloning"))
        try:
            if not source.folder:
                raise SourceError(
                    f"{source.url} names no host and path", hint="the label of the image is wrong"
                )
            await check_out(source.url, source.commit, folder / source.folder)
        except OkdPayloadError as error:
            return [_not_checked_out(source, error)]
        return [_several(source)] if source.others else []

    found = await map_concurrently(work, sources, at_once=_AT_ONCE)
    return [issue for issues in found for issue in issues]


def _not_checked_out(source: ComponentSource, error: OkdPayloadError) -> Issue:
    return codes.SOURCE_NOT_CHECKED_OUT.issue(
        error.message, component=source.components[0], hint=error.hint
    )


def _several(source: ComponentSource) -> Issue:
    return codes.SEVERAL_COMMITS.issue(
        f"{source.url} is checked out at {source.commit}, and images were also built from"
        f" {', '.join(source.others)}",
        component=source.components[0],
        hint="check another commit out yourself where you need it",
    )
