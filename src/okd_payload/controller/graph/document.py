# SPDX-License-Identifier: Apache-2.0
"""Update graphs in the form that clusters read: the JSON of the Cincinnati protocol.

Only shapes and the names of keys; section 3.2 of our reference on the release controller has the
format. Edges are pairs of places in the list of nodes, so that list is never sorted anew here. A
cluster refuses a null where it expects a list: what is empty is an empty list.
"""

from __future__ import annotations

import msgspec

CHANNELS_KEY = "io.openshift.upgrades.graph.release.channels"
REFERENCE_KEY = "io.openshift.upgrades.graph.release.manifestref"
ARCHITECTURE_KEY = "io.openshift.upgrades.graph.release.arch"
URL_KEY = "url"
WITHDRAWN_KEY = "okd-payload.io/withdrawn"
"""Of nodes that no update leads into any more."""


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of all parts."""


class GraphNode(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """A release."""

    version: str
    payload: str
    metadata: dict[str, str]


class PromQuery(Fields, frozen=True, kw_only=True):
    """A question to the monitoring of a cluster."""

    promql: str


class MatchingRule(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """For which clusters a risk holds."""

    type: str
    promql: PromQuery | msgspec.UnsetType = msgspec.field(name="promql", default=msgspec.UNSET)


class GraphRisk(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """Why an update is not for every cluster."""

    url: str
    name: str
    message: str
    matching_rules: tuple[MatchingRule, ...]


class ConditionalEdge(Fields, frozen=True, kw_only=True, rename={"source": "from", "target": "to"}):
    """One update of a conditional kind."""

    source: str
    target: str


class ConditionalEdges(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """Updates that are recommended only where none of the risks holds."""

    edges: tuple[ConditionalEdge, ...]
    risks: tuple[GraphRisk, ...]


class GraphDocument(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """A whole graph."""

    version: int = 1
    """Of the protocol."""
    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[int, int], ...]
    conditional_edges: tuple[ConditionalEdges, ...] = ()


class GraphError(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """Why there is no graph."""

    kind: str
    value: str


def always() -> MatchingRule:
    """The rule of a risk that holds for all clusters."""
    return MatchingRule(type="Always")


def where(promql: str) -> MatchingRule:
    """The rule of a risk that holds where the query says so."""
    return MatchingRule(type="PromQL", promql=PromQuery(promql=promql))
