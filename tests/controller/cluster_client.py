# SPDX-License-Identifier: Apache-2.0
"""A cluster that asks for updates: what its operator makes of an answer, and what it refuses.

The rules are those of the cluster-version-operator from 4.12 on, and of the API server that keeps
what it finds: one bad word costs the cluster all its updates, or the status of its version. They
share nothing with the code that they judge.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec

_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?", re.ASCII)
_ADDRESS = re.compile(
    r"(https?://[^\s/?#%\\@:\[\]]+(:[0-9]+)?([/?#]|$)|urn:)"
    r"([^\s%\x00-\x1f\x7f]|%[0-9a-fA-F]{2})*"
)
_PULL_SPEC = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")
CHANNELS = "io.openshift.upgrades.graph.release.channels"


class Refused(Exception):
    """The cluster gets no updates, or its API server does not take what the operator found."""


class Query(msgspec.Struct, forbid_unknown_fields=True):
    promql: str


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    promql: Query | None = None


class Risk(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    url: str
    name: str
    message: str
    matching_rules: tuple[Rule, ...]


class Step(msgspec.Struct, rename={"source": "from", "target": "to"}):
    source: str
    target: str


class Group(msgspec.Struct, forbid_unknown_fields=True):
    edges: tuple[Step, ...]
    risks: tuple[Risk, ...]


class Node(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    payload: str
    metadata: dict[str, str] = {}


class Graph(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    nodes: tuple[Node, ...] | None
    edges: tuple[tuple[int, int], ...] | None
    conditional_edges: tuple[Group, ...] = ()
    version: int = 1


class Offers(msgspec.Struct):
    """What ``oc adm upgrade`` would show of a cluster."""

    current: Node
    updates: dict[str, Node]
    conditional: dict[str, tuple[Risk, ...]]


def read(content: bytes) -> Graph:
    """The graph in ``content``. Raises Refused when some cluster could not read it."""
    try:
        graph = msgspec.json.decode(content, type=Graph)
    except msgspec.MsgspecError as error:
        raise Refused(str(error)) from error
    nodes = graph.nodes or ()
    for node in nodes:
        _demand(_VERSION.fullmatch(node.version), f"{node.version!r} is no version")
        _demand(_address_of(node), f"the url of {node.version} cannot be parsed")
        channels = node.metadata.get(CHANNELS, "-").split(",")
        _demand(all(channels), f"{node.version} is in a channel without a name")
        _demand(len(set(channels)) == len(channels), f"{node.version} is in a channel twice")
    equal = [_plain(node.version) for node in nodes]
    _demand(len(set(equal)) == len(equal), "two nodes are the same version for a cluster")
    for ends in graph.edges or ():
        _demand(all(0 <= end < len(nodes) for end in ends), f"{ends} leads out of the nodes")
    _demand(len(set(graph.edges or ())) == len(graph.edges or ()), "an edge is there twice")
    return graph


def look(content: bytes, version: str) -> Offers:
    """What a cluster that runs ``version`` offers its administrator. Raises Refused."""
    graph = read(content)
    nodes = graph.nodes or ()
    place = next(
        (at for at, node in enumerate(nodes) if _plain(node.version) == _plain(version)), None
    )
    _demand(place is not None, f"VersionNotFound: {version}")
    assert place is not None
    updates = [nodes[target] for source, target in graph.edges or () if source == place]
    conditional = [
        (_find(nodes, step.target), group.risks)
        for group in graph.conditional_edges
        for step in group.edges
        if step.source == version
    ]
    targets = [*updates, *(target for target, _ in conditional)]
    images = [target.payload for target in targets]
    _demand(len(set(images)) == len(images), "two updates are the same image: one is dropped")
    for target in targets:
        _demand(_PULL_SPEC.fullmatch(target.payload), f"{target.version} cannot be pulled")
    _judge([risks for _, risks in conditional])
    return Offers(
        current=nodes[place],
        updates={target.version: target for target in updates},
        conditional={target.version: risks for target, risks in conditional},
    )


def look_everywhere(content: bytes) -> list[Offers]:
    """What clusters on every version of the graph would offer. Raises Refused."""
    return [look(content, node.version) for node in read(content).nodes or ()]


def _judge(updates: Collection[tuple[Risk, ...]]) -> None:
    """Whether an API server takes these risks, and an operator that knows them by their names."""
    known: dict[str, Risk] = {}
    for risks in updates:
        names = [risk.name for risk in risks]
        _demand(names, "a conditional update has no risk")
        _demand(len(set(names)) == len(names), f"{names} are not unique")
        for risk in risks:
            _demand(_REASON.fullmatch(risk.name), f"{risk.name!r} is no reason of a condition")
            _demand(risk.message.strip(), f"{risk.name} has no message")
            _demand(_ADDRESS.fullmatch(risk.url), f"{risk.url!r} is no address")
            _demand(risk.matching_rules, f"{risk.name} has no rule")
            for rule in risk.matching_rules:
                _demand(_is_rule(rule), f"{rule} is no rule")
            _demand(known.setdefault(risk.name, risk) == risk, f"{risk.name} is two risks")


def _is_rule(rule: Rule) -> bool:
    if rule.type == "Always":
        return rule.promql is None
    return rule.type == "PromQL" and rule.promql is not None and bool(rule.promql.promql)


def _find(nodes: Collection[Node], version: str) -> Node:
    found = [node for node in nodes if node.version == version]
    _demand(found, f"no node for the conditional update {version}")
    return found[0]


def _address_of(node: Node) -> bool:
    url = node.metadata.get("url")
    return url is None or _ADDRESS.fullmatch(url) is not None


def _plain(version: str) -> str:
    """A version as clusters compare it: without what follows the plus."""
    return version.partition("+")[0]


def _demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise Refused(otherwise)
