# SPDX-License-Identifier: Apache-2.0
"""The releases as nodes of update graphs, made once for each change of the records.

Releases of every phase are there: each graph takes those that it shows. A release that was
withdrawn or rejected, or is judged anew, stays a node that updates lead out of and none leads
into; so does one of a stable stream that was removed, of which only what its payload said is
left. Clusters that run one of these find their way on.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from okd_payload.controller.configuration.model import (
    EdgeRule,
    StreamConfiguration,
    StreamKind,
)
from okd_payload.controller.graph.channels import channels_of
from okd_payload.controller.graph.known import KnownRelease
from okd_payload.controller.graph.tested import TestedUpdates, group_runs
from okd_payload.controller.model import RETRIED, Edge, Phase
from okd_payload.errors import InputError
from okd_payload.release.semver import Version, is_version, parse_version

MULTI = "multi"
_LEAST = Version(0, 0, 0)


class Node(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
        return self.phase is Phase.ACCEPTED and not self.withdrawn and self.can_be_pulled

    @property
    def can_be_pulled(self) -> bool:
        """Whether a cluster finds the payload, by the digest that it verifies."""
        return bool(self.digest and self.payload)

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
    known: Iterable[KnownRelease],
    configurations: Mapping[str, StreamConfiguration],
    edges: Iterable[Edge],
    number: int = 0,
) -> Snapshot:
    """The nodes of the releases that are ``known``."""
    return Snapshot(
        nodes=tuple(sorted(_nodes(known, configurations), key=_order)),
        tested=group_runs(edges),
        rules={name: each.edges for name, each in configurations.items() if each.edges},
        number=number,
    )


def change_snapshot(
    before: Snapshot,
    changed: Collection[str],
    *,
    known: Iterable[KnownRelease],
    configurations: Mapping[str, StreamConfiguration],
    edges: Iterable[Edge],
) -> Snapshot:
    """``before`` with the releases called ``changed`` as they are now.

    All else is of these alone: what is ``known``, and the ``edges`` into and out of them.
    """
    nodes = [node for node in before.nodes if node.release not in changed]
    for node in _nodes(known, configurations):
        bisect.insort(nodes, node, key=_order)
    tested = {
        (source, target): each
        for (source, target), each in before.tested.items()
        if source not in changed and target not in changed
    }
    return msgspec.structs.replace(before, nodes=tuple(nodes), tested=tested | group_runs(edges))


class _Stream(msgspec.Struct, frozen=True, kw_only=True):
    """What the releases of a stream have in common."""

    channels: tuple[str, ...]
    architecture: str
    is_stable: bool
    releases_name: str


def _nodes(
    known: Iterable[KnownRelease], configurations: Mapping[str, StreamConfiguration]
) -> list[Node]:
    stream_of = _common(configurations)
    return [
        _node(each, stream_of(each.stream))
        for each in known
        if each.phase is not None or stream_of(each.stream).is_stable
    ]


def _common(configurations: Mapping[str, StreamConfiguration]) -> Callable[[str], _Stream]:
    """Tells what is common in a stream, once for all its releases."""
    unknown = StreamConfiguration(name="")

    @functools.cache
    def common(name: str) -> _Stream:
        found = configurations.get(name, unknown)
        return _Stream(
            channels=channels_of(found),
            architecture=found.architectures[0] if len(found.architectures) == 1 else MULTI,
            is_stable=found.kind is StreamKind.STABLE,
            releases_name=found.releases_name,
        )

    return common


def _node(known: KnownRelease, stream: _Stream) -> Node:
    version = _version(known.version or known.name)
    return Node(
        release=known.name,
        stream=known.stream,
        version=version,
        is_called_by_version=(
            version is not None if known.version in ("", known.name) else is_version(known.name)
        ),
        phase=known.phase,
        payload=_payload(known, stream.releases_name),
        digest=known.digest,
        architecture=known.architecture or stream.architecture,
        channels=stream.channels,
        is_stable=stream.is_stable,
        withdrawn=known.withdrawn,
        judged_anew=known.phase is Phase.READY and known.reason == RETRIED,
        previous=known.previous,
        following=known.following,
        url=known.url,
    )


def _payload(known: KnownRelease, releases_name: str) -> str:
    """Where clusters pull the release from: by digest, for only that can be verified."""
    if not known.digest:
        return known.pull_spec
    for place in (known.pull_spec, known.read_from):
        if place.endswith(known.digest):
            return place
    return f"{releases_name}@{known.digest}" if releases_name else ""


def _version(text: str) -> Version | None:
    try:
        return parse_version(text)
    except InputError:
        return None


def _order(node: Node) -> tuple[object, ...]:
    """By version; what is none comes first."""
    return (node.version is not None, (node.version or _LEAST).precedence(), node.release)
