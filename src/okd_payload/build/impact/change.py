# SPDX-License-Identifier: Apache-2.0
"""What is changed: a repository by the name that forges give it, and where its change is.

``ORG/REPO@REF`` is the repository where the stream gets its sources from, at a branch, commit or
pull request; ``ORG/REPO=SOURCE`` takes it from a folder or another URL; ``URL@REF`` is any
repository. A repository is recognised by the last two names of its URL, wherever it is hosted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.errors import InputError
from okd_payload.source.model import GitSource, Source
from okd_payload.source.overrides import parse_override
from okd_payload.source.references import check_ref
from okd_payload.source.remote import redacted

DEFAULT_FORGE = "https://github.com"
_NAMED = re.compile(r"([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)([@=])(.+)")
_HINT = (
    "write ORG/REPO@REF, ORG/REPO=FOLDER or URL@REF, as in openshift/api@refs/pull/123/head "
    "or openshift/api=./api"
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A repository, and the source that has the change."""

    repository: str
    """``ORG/REPO``."""
    source: Source
    module_hosts: tuple[str, ...] = ()
    """The hosts under which Go modules of the repository are imported."""

    @property
    def lock_name(self) -> str:
        """What its source is called in a lock, where no component is called so."""
        return f"change of {self.repository}"


def read_changes(texts: Iterable[str], *, catalog: Catalog, directory: Path) -> tuple[Change, ...]:
    """The changes that ``texts`` name; folders are relative to ``directory``. Raises InputError."""
    found: dict[str, Change] = {}
    for text in texts:
        change = _read(text, catalog, directory)
        if change.repository in found:
            raise InputError(f"{change.repository} is changed twice", hint="give each once")
        found[change.repository] = change
    return tuple(found.values())


def repository_name(url: str) -> str:
    """``ORG/REPO`` of the repository at ``url``; empty when its path has no two names."""
    _, scheme, rest = url.partition("://")
    path = rest.partition("/")[2] if scheme else url.partition(":")[2] or url
    names = [name for name in path.removesuffix("/").removesuffix(".git").split("/") if name]
    return "/".join(names[-2:]) if len(names) > 1 else ""


def _read(text: str, catalog: Catalog, directory: Path) -> Change:
    named = _NAMED.fullmatch(text)
    if named and named[2] == "@":
        url = find_url(catalog, named[1])
        source: Source = GitSource(url=url, ref=check_ref(named[3]))
        return Change(repository=named[1], source=source, module_hosts=_hosts(url, DEFAULT_FORGE))
    if named:
        _, source = parse_override(f"change={named[3]}", directory=directory)
        url = source.url if isinstance(source, GitSource) else ""
        return Change(repository=named[1], source=source, module_hosts=_hosts(url, DEFAULT_FORGE))
    if ":" not in text:  # no URL
        raise InputError(f"{redacted(text)!r} does not name a repository", hint=_HINT)
    _, source = parse_override(f"change={text}", directory=directory)
    name = repository_name(source.url) if isinstance(source, GitSource) else ""
    if not isinstance(source, GitSource) or not name:
        raise InputError(f"{redacted(text)!r} does not name a repository", hint=_HINT)
    return Change(repository=name, source=source, module_hosts=_hosts(source.url))


def find_url(catalog: Catalog, repository: str) -> str:
    """Where the stream would get ``repository`` from.

    The URL of a component that is built from it; else its name on the forge that most components
    come from, those of the same organisation first.
    """
    forges: Counter[str] = Counter()
    organisation = repository.partition("/")[0]
    for component in catalog.components:
        source = component.source
        name = repository_name(source.url) if isinstance(source, GitSource) else ""
        if not isinstance(source, GitSource) or not name:
            continue
        if name == repository:
            return source.url
        forge = source.url.removesuffix("/").removesuffix(".git").removesuffix(name).rstrip("/")
        # A scp-like address ends with its colon, and is no forge with a path.
        weight = 1000 if name.startswith(f"{organisation}/") else 1
        forges[forge] += 0 if forge.endswith(":") else weight
    best = min(forges, key=lambda forge: (-forges[forge], forge), default="")
    return f"{best if best and forges[best] else DEFAULT_FORGE}/{repository}"


def _hosts(*urls: str) -> tuple[str, ...]:
    found = []
    for url in urls:
        _, separator, rest = redacted(url).partition("://")
        host = (rest if separator else "").partition("/")[0]
        found += [host] if host else []
    return tuple(dict.fromkeys(found))
