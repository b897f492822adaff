# SPDX-License-Identifier: Apache-2.0
"""Which components a repository builds, and on which branch: the catalog, seen from the forge.

Only this says what an event is about. A component that pins a commit, or comes from a folder, is
built from nothing that anybody pushes, and is not here.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.engines.tekton.triggers.forges import Forge
from okd_payload.source.model import GitSource
from okd_payload.source.references import is_commit
from okd_payload.source.remote import redacted


class WatchedRepository(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A branch of a repository, and what is built from it."""

    path: str
    """As the forge names it in events: ``ORG/REPO``, or with more groups in between."""
    branch: str
    """Empty for the default branch, whichever that is."""
    components: tuple[str, ...]

    @property
    def name(self) -> str:
        """``ORG/REPO``, by which ``build --change`` knows it."""
        return "/".join(self.path.split("/")[-2:])


def watched_repositories(catalog: Catalog, forge: Forge) -> tuple[WatchedRepository, ...]:
    """The branches of ``forge`` that components of ``catalog`` are built from, sorted."""
    found: dict[tuple[str, str], list[str]] = {}
    for component in catalog.components:
        source = component.source
        if not isinstance(source, GitSource) or is_commit(source.ref):
            continue
        path = forge.path_of(redacted(source.url))
        if path and not source.ref.startswith("refs/"):
            found.setdefault((path, source.ref), []).append(component.name)
    return tuple(
        WatchedRepository(path=path, branch=branch, components=tuple(sorted(names)))
        for (path, branch), names in sorted(found.items())
    )


def branches_of(
    repositories: Iterable[WatchedRepository], *, default: bool
) -> tuple[WatchedRepository, ...]:
    """Those that follow a default branch, or those that name theirs."""
    return tuple(each for each in repositories if (not each.branch) == default)
