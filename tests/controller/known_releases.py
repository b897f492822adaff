# SPDX-License-Identifier: Apache-2.0
"""Releases and what their payloads say, as graphs know them: without a database between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from okd_payload.controller.graph.known import KnownRelease
from okd_payload.controller.model import PayloadFacts, Release


def know(releases: Iterable[Release], facts: Mapping[str, PayloadFacts]) -> list[KnownRelease]:
    """``releases`` with the ``facts`` of their payloads, and those of which only facts are left."""
    there = {each.name: each for each in releases}
    return [
        _know(name, there.get(name), facts.get(name))
        for name in {**dict.fromkeys(there), **dict.fromkeys(facts)}
    ]


def _know(name: str, release: Release | None, facts: PayloadFacts | None) -> KnownRelease:
    either = release or facts
    assert either is not None
    return KnownRelease(
        name=name,
        stream=either.stream,
        phase=release.phase if release else None,
        digest=either.digest or "",
        pull_spec=release.pull_spec if release else "",
        reason=release.reason if release else "",
        withdrawn=release is None or release.withdrawn is not None,
        version=facts.version if facts else "",
        previous=facts.previous if facts and release else (),
        following=facts.following if facts else (),
        architecture=facts.architecture if facts else "",
        url=facts.url if facts else "",
        read_from=facts.pull_spec if facts else "",
    )
