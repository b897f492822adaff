# SPDX-License-Identifier: Apache-2.0
"""The releases as nodes of update graphs, made once for each change of the records.

Releases of every phase are there: each graph takes those that it shows. A release that was
withdrawn or rejected, or is judged anew, stays a node that updates lead out of and none leads
into; so does one of a stable stream that was removed, of which only what its payload said is
left. Clusters that run one of these find their way on.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Mapping

import msgspec

from okd_payload.controller.configuration.model import (
    EdgeRule,
    StreamConfiguration,
    StreamKind,
)
from okd_payload.controller.graph.channels import channels_of
from okd_payload.controller.graph.tested import TestedUpdates, group_runs
from okd_payload.controller.model import RETRIED, Edge, PayloadFacts, Phase, Release
from okd_payload.errors import InputError
from okd_payload.release.semver import Version, is_version, parse_version

MULTI = "multi"
_LEAST = Version(0, 0, 0)


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A release that is, or was."""

    release: str
    stream: str
    version: Version | None
    """None when it is no version, with which no cluster can run."""
    is_called_by_version: bool
    """Whether its name is a version, too: the one that clusters are told at ``/graph``."""
    phase: Phase | None
    """None when the release was removed."""
    payload: str = ""
    """By digest where that is known; empty while there is none, and where no place is known."""
    digest: str = ""
    architecture: str
    channels: tuple[str, ...] = ()
    is_stable: bool = False
    withdrawn: bool = False
    judged_anew: bool = False
    """Whether it was decided before, and may have been installed then."""
    previous: tuple[str, ...] = ()
    following: tuple[str, ...] = ()
    url: str = ""

    @property
    def is_offered(self) -> bool:
        """Whether updates may lead here."""
        can_be_pulled = bool(self.digest and self.payload)
        return self.phase is Phase.ACCEPTED and not self.withdrawn and can_be_pulled

    @property
    def is_tombstone(self) -> bool:
        """Whether clusters may still run it although nobody is offered it any more."""
        if self.is_offered or not self.digest:
            return False
        return self.withdrawn or self.judged_anew or self.phase in (None, Phase.REJECTED)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that graphs are made of, at one moment."""

    nodes: tuple[Node, ...] = ()
    tested: TestedUpdates = {}
    rules: Mapping[str, tuple[EdgeRule, ...]] = {}
    """By stream of the target."""
    number: int = 0
    """Of the last event that it knows."""


def make_snapshot(
    *,
    releases: Iterable[Release],
    facts: Mapping[str, PayloadFacts],
    configurations: Mapping[str, StreamConfiguration],
    edges: Iterable[Edge],
    number: int = 0,
) -> Snapshot:
    """The nodes of ``releases``, withdrawn ones too, and of what is left of removed ones."""
    return Snapshot(
        nodes=tuple(sorted(_nodes(releases, facts, configurations), key=_order)),
        tested=group_runs(edges),
        rules={name: each.edges for name, each in configurations.items() if each.edges},
        number=number,
    )


def change_snapshot(
    before: Snapshot,
    changed: Collection[str],
    *,
    releases: Iterable[Release],
    facts: Mapping[str, PayloadFacts],
    configurations: Mapping[str, StreamConfiguration],
    edges: Iterable[Edge],
) -> Snapshot:
    """``before`` with the releases called ``changed`` as they are now.

    All else is of these alone: ``releases``, ``facts``, and the ``edges`` into and out of them.
    """
    nodes = [node for node in before.nodes if node.release not in changed]
    for node in _nodes(releases, facts, configurations):
        bisect.insort(nodes, node, key=_order)
    tested = {
        (source, target): each
        for (source, target), each in before.tested.items()
        if source not in changed and target not in changed
    }
    return msgspec.structs.replace(before, nodes=tuple(nodes), tested=tested | group_runs(edges))


def _nodes(
    releases: Iterable[Release],
    facts: Mapping[str, PayloadFacts],
    configurations: Mapping[str, StreamConfiguration],
) -> list[Node]:
    unknown = StreamConfiguration(name="")
    there = [
        _node(release, facts.get(release.name), configurations.get(release.stream, unknown))
        for release in releases
    ]
    names = {node.release for node in there}
    gone = [
        _tombstone(fact, configurations[fact.stream])
        for fact in facts.values()
        if fact.release not in names and _is_stable(configurations.get(fact.stream, unknown))
    ]
    return [*there, *gone]


def _node(release: Release, facts: PayloadFacts | None, configuration: StreamConfiguration) -> Node:
    version = _version((facts.version if facts else "") or release.name)
    return Node(
        release=release.name,
        stream=release.stream,
        version=version,
        is_called_by_version=_is_called_by(version, release.name),
        phase=release.phase,
        payload=_payload(release, facts, configuration),
        digest=release.digest or "",
        architecture=(facts.architecture if facts else "") or _architecture(configuration),
        channels=channels_of(configuration),
        is_stable=_is_stable(configuration),
        withdrawn=release.withdrawn is not None,
        judged_anew=release.phase is Phase.READY and release.reason == RETRIED,
        previous=facts.previous if facts else (),
        following=facts.following if facts else (),
        url=facts.url if facts else "",
    )


def _tombstone(facts: PayloadFacts, configuration: StreamConfiguration) -> Node:
    version = _version(facts.version or facts.release)
    return Node(
        release=facts.release,
        stream=facts.stream,
        version=version,
        is_called_by_version=_is_called_by(version, facts.release),
        phase=None,
        payload=facts.pull_spec,
        digest=facts.digest,
        architecture=facts.architecture or _architecture(configuration),
        channels=channels_of(configuration),
        is_stable=True,
        withdrawn=True,
        following=facts.following,
        url=facts.url,
    )


def _payload(
    release: Release, facts: PayloadFacts | None, configuration: StreamConfiguration
) -> str:
    """Where clusters pull the release from: by digest, for only that can be verified."""
    if release.digest is None:
        return release.pull_spec
    for place in (release.pull_spec, facts.pull_spec if facts else ""):
        if place.endswith(f"@{release.digest}"):
            return place
    return f"{configuration.releases_name}@{release.digest}" if configuration.releases_name else ""


def _architecture(configuration: StreamConfiguration) -> str:
    return configuration.architectures[0] if len(configuration.architectures) == 1 else MULTI


def _is_stable(configuration: StreamConfiguration) -> bool:
    return configuration.kind is StreamKind.STABLE


def _is_called_by(version: Version | None, name: str) -> bool:
    return str(version) == name or is_version(name)


def _version(text: str) -> Version | None:
    try:
        return parse_version(text)
    except InputError:
        return None


def _order(node: Node) -> tuple[object, ...]:
    """By version; what is none comes first."""
    return (node.version is not None, (node.version or _LEAST).precedence(), node.release)
