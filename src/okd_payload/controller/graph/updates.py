# SPDX-License-Identifier: Apache-2.0
"""Which updates there are among the releases of a channel, and which of them carry a risk.

An update is there because a payload names it, because the two releases are neighbours (the next
one of the minor version; from the last of a minor version the first of the next), or because a
run of it succeeded. It never leads to a release that is not offered, nor back to an older one.
Updates whose runs all failed, and those that a stream's owner blocks, stay visible with the reason
as their risk: administrators see why, instead of a version that vanished.

To a cluster a risk is its name: whoever accepts one, or looks whether it holds, goes by the name
alone. So a risk that is not an owner's, who gave it one, is called after the release it is of.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from okd_payload.controller.configuration.model import EdgeRule
from okd_payload.controller.graph.nodes import Node, Snapshot
from okd_payload.controller.graph.tested import TestedUpdate

FAILED, BLOCKED = "UpdateTestsFailed", "UpdateBlocked"
_NO_WORD = re.compile(r"[^0-9A-Za-z]")


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """Why an update is not for every cluster."""

    name: str
    message: str
    url: str = ""
    promql: str = ""


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One update, by the places of its ends in the list of nodes."""

    source: int
    target: int
    risks: tuple[Risk, ...] = ()


def find_updates(nodes: Sequence[Node], snapshot: Snapshot) -> list[Update]:
    """All updates among ``nodes``, which are those of a channel in the order of versions."""
    places = {node.release: place for place, node in enumerate(nodes)}
    pairs = {
        *_neighbours(nodes),
        *_named(nodes),
        *(
            (places[tested.source], places[tested.target])
            for tested in snapshot.tested.values()
            if tested.source in places
            and tested.target in places
            and (tested.has_passed or tested.has_failed)
        ),
    }
    return [
        Update(source=source, target=target, risks=tuple(_risks(nodes, source, target, snapshot)))
        for source, target in sorted(pairs)
        if nodes[target].is_offered and _is_newer(nodes[target], nodes[source])
    ]


def find_neighbours(nodes: Sequence[Node]) -> list[tuple[int, int]]:
    """The updates between neighbours, by their places in ``nodes``, in the order of versions."""
    return sorted(set(_neighbours(nodes)))


def _neighbours(nodes: Sequence[Node]) -> Iterator[tuple[int, int]]:
    """From each release to the next that is offered, also over the end of a minor version."""
    after: int | None = None
    minor: tuple[int, int] | None = None
    for place in range(len(nodes) - 1, -1, -1):
        node = nodes[place]
        if node.version is None:
            continue
        if after is not None and minor is not None:
            here = (node.version.major, node.version.minor)
            if minor in (here, (here[0], here[1] + 1)):
                yield place, after
        if node.is_offered:
            after, minor = place, (node.version.major, node.version.minor)


def _named(nodes: Sequence[Node]) -> Iterator[tuple[int, int]]:
    """What payloads say of each other."""
    by_version = {str(node.version): place for place, node in enumerate(nodes)}
    for place, node in enumerate(nodes):
        yield from ((by_version[name], place) for name in node.previous if name in by_version)
        yield from ((place, by_version[name]) for name in node.following if name in by_version)


def _is_newer(node: Node, than: Node) -> bool:
    if node.version is None or than.version is None:
        return False
    return than.version < node.version


def _risks(nodes: Sequence[Node], source: int, target: int, snapshot: Snapshot) -> Iterator[Risk]:
    origin, goal = nodes[source], nodes[target]
    yield from owners_risks(origin, goal, snapshot.rules)
    tested = snapshot.tested.get((origin.release, goal.release))
    if tested is not None and tested.has_failed:
        yield _failure(tested)


def owners_risks(
    source: Node, target: Node, rules: Mapping[str, tuple[EdgeRule, ...]]
) -> list[Risk]:
    """What the owner of the target's stream says of the update."""
    return [
        Risk(
            name=rule.name or _name_risk(BLOCKED, target.release),
            message=rule.message,
            url=rule.url,
            promql=rule.promql,
        )
        for rule in rules.get(target.stream, ())
        if _matches(source, rule.source) and _matches(target, rule.target)
    ]


def _name_risk(kind: str, target: str) -> str:
    """The name of a risk of ours, of updates to ``target``: one word."""
    return f"{kind}_{_NO_WORD.sub('_', target)}"


def _matches(node: Node, glob: str) -> bool:
    names = {node.release, str(node.version)}
    return any(fnmatch.fnmatchcase(name, glob) for name in names)


def _failure(tested: TestedUpdate) -> Risk:
    failure = tested.last_failure
    count = len(tested.runs)
    runs = "The one test" if count == 1 else f"None of {count} tests"
    ended = "failed" if count == 1 else "succeeded"
    return Risk(
        name=_name_risk(FAILED, tested.target),
        message=f"{runs} of the update from {tested.source} to {tested.target} {ended}.",
        url=failure.url if failure else "",
    )
