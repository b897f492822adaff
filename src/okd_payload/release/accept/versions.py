# SPDX-License-Identifier: Apache-2.0
"""Whether the update may follow the running release: edges, versions, architectures.

A cluster is offered an update by a graph, whose edges are made of what the releases say of each
other. An administrator may go beyond it, explicitly. Whether the version is too old or too far
away is checked in any case, once the update was loaded, and can be forced.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.issues import Issue, Severity
from okd_payload.oci.foreign_json import decode_json
from okd_payload.release.accept import codes
from okd_payload.release.accept.model import Check, Side, UpdateRequest, conclude
from okd_payload.release.cluster.metadata import MULTI
from okd_payload.release.cluster.payload import LoadedPayload
from okd_payload.release.semver import Version

PRECONDITIONS_REASON = "UpgradePreconditionCheckFailed"
_NOT_OFFERED = "when image is empty the update must be a previous version or an available update"
_FIRST_OF_FIVE = (4, 5, 0)
"""The only change of the major version that operators let pass: from 4 to 5.0."""


class GraphNode(msgspec.Struct, frozen=True):
    """A release in an update graph."""

    version: str


class GraphRisk(msgspec.Struct, frozen=True):
    """Why an update is not for every cluster."""

    name: str = ""
    message: str = ""


class ConditionalEdge(msgspec.Struct, frozen=True, rename={"origin": "from", "target": "to"}):
    """A step of a conditional update."""

    origin: str
    target: str


class ConditionalEdges(msgspec.Struct, frozen=True):
    """Updates that are recommended to clusters for which no risk holds."""

    edges: tuple[ConditionalEdge, ...] = ()
    risks: tuple[GraphRisk, ...] = ()


class UpdateGraph(msgspec.Struct, frozen=True, rename="camel"):
    """An update graph, as Cincinnati servers give it."""

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    conditional_edges: tuple[ConditionalEdges, ...] = ()

    def has_edge(self, old: str, new: str) -> bool:
        """Whether the graph recommends to go from ``old`` to ``new``."""
        names = dict(enumerate(node.version for node in self.nodes))
        return any((names.get(a), names.get(b)) == (old, new) for a, b in self.edges)

    def risks_of(self, old: str, new: str) -> list[GraphRisk] | None:
        """The risks of going from ``old`` to ``new``; None when it is no conditional update."""
        found = [
            group.risks
            for group in self.conditional_edges
            if any((edge.origin, edge.target) == (old, new) for edge in group.edges)
        ]
        return [risk for risks in found for risk in risks] if found else None


def parse_update_graph(content: bytes, *, origin: str) -> UpdateGraph:
    """The graph in ``content``. Raises ContentError."""
    return decode_json(content, UpdateGraph, what=f"the update graph of {origin}")


def check_edge(
    running: LoadedPayload,
    wanted: LoadedPayload,
    request: UpdateRequest,
    graph: UpdateGraph | None = None,
) -> Check:
    """Whether the update would be on offer: by the graph, or by what the releases say."""
    old, new = running.version, wanted.version
    if graph is not None and graph.has_edge(old, new):
        return conclude("edge", detail="the update graph recommends it")
    risks = graph.risks_of(old, new) if graph is not None else None
    if risks is not None:
        return conclude("edge", _tell_risks(risks))
    if graph is None:
        if old in wanted.facts.metadata.previous:
            return conclude("edge", detail=f"{new} names {old} as previous")
        if new in running.facts.metadata.next:
            return conclude("edge", detail=f"{old} names {new} as next")
    if old == new:
        return conclude("edge", detail="the same version")
    return _refuse_edge(old, new, request)


def _tell_risks(risks: list[GraphRisk]) -> Iterator[Issue]:
    for risk in risks:
        yield codes.CONDITIONAL_UPDATE.issue(
            f"{risk.name}: {risk.message}",
            hint="clusters for which the risk holds are not offered the update",
        )


def _refuse_edge(old: str, new: str, request: UpdateRequest) -> Check:
    if request.allow_explicit:
        warning = (
            'Precondition "ClusterVersionRecommendedUpdate" failed because of "UnknownUpdate": '
            f"Update from {old} to {new} is probably neither recommended nor supported."
        )
        issue = codes.NO_UPDATE_EDGE.issue(warning)
        issue = msgspec.structs.replace(issue, severity=Severity.WARNING)
        return conclude("edge", [issue], detail="asked for explicitly")
    message = f"spec.desiredUpdate.version: Invalid value: {quote(new)}: {_NOT_OFFERED}"
    issue = codes.NO_UPDATE_EDGE.issue(
        f"The cluster version is invalid: {message}",
        hint=f"make the release with --previous {old}; or ask for it by its pull spec, as with "
        "oc adm upgrade --to-image: --allow-explicit-upgrade",
    )
    return conclude("edge", [issue], reason="InvalidClusterVersion", message=message)


def check_versions(running: LoadedPayload, wanted: LoadedPayload, request: UpdateRequest) -> Check:
    """Whether the update is neither too old nor too far away."""
    old, new = running.facts.version, wanted.facts.version
    found = [*_check_rollback(old, new), *_check_hop(old, new)]
    messages = [message for message, _ in found]
    summary = messages[0] if len(messages) == 1 else _join(messages)
    if request.force:
        summary = f"Forced through blocking failures: {summary}"
    return conclude(
        "version",
        [issue for _, issue in found],
        detail=f"{old} to {new}",
        reason=PRECONDITIONS_REASON,
        message=summary,
        force=request.force,
    )


def _join(messages: list[str]) -> str:
    return "Multiple precondition checks failed:" + "".join(f"\n* {text}" for text in messages)


def _check_rollback(old: Version, new: Version) -> Iterator[tuple[str, Issue]]:
    if new < old:
        message = _precondition(
            "ClusterVersionRollback",
            "LowDesiredVersion",
            f"{new} is less than the current target {old}, "
            "and the cluster has no previous Semantic Version",
        )
        yield (
            message,
            codes.OLDER_UPDATE.issue(
                message,
                hint="a cluster goes back only to the version that it had before, "
                "within one minor version",
            ),
        )


def _check_hop(old: Version, new: Version) -> Iterator[tuple[str, Issue]]:
    name = "ClusterVersionGiantHop"
    if new.major > old.major:
        if (old.major, new.major, new.minor) == _FIRST_OF_FIVE:
            return
        only = " or to 5.0" if (old.major, new.major) == _FIRST_OF_FIVE[:2] else ""
        message = _precondition(
            name,
            "MajorVersionUpdate",
            f"{new} has a larger major version than the current target {old} "
            f"({new.major} > {old.major}), and only updates within the current major version"
            f"{only} are supported.",
        )
    elif new.minor > old.minor + 1:
        message = _precondition(
            name,
            "MultipleMinorVersionsUpdate",
            f"{new} is more than one minor version beyond the current target {old} "
            f"({new.major}.{new.minor} > {old.major}.({old.minor}+1)), and only updates within "
            "the current minor version or to the next minor version are supported.",
        )
    else:
        return
    yield message, codes.DISTANT_UPDATE.issue(message, hint="go by the versions between")


def _precondition(name: str, reason: str, message: str) -> str:
    return f"Precondition {quote(name)} failed because of {quote(reason)}: {message}"


def check_architecture(
    old: Side, new: Side, running: LoadedPayload, wanted: LoadedPayload
) -> Check:
    """Whether the update has images for the nodes of the cluster."""
    before = running.facts.architecture or old.architecture
    after = wanted.facts.architecture or new.architecture
    issues = list(_compare_architectures(before, after, running, wanted))
    if wanted.facts.architecture == MULTI and new.digest and not new.is_list:
        issues.append(
            codes.OTHER_ARCHITECTURE.issue(
                f"{new.name} calls itself multi, and its image is for {new.architecture} only",
                hint="make it with --keep-manifest-list, of a base that is a list",
            )
        )
    detail = f"{before} to {after}" if before and after else "not known"
    return conclude("architecture", issues, detail=detail)


def _compare_architectures(
    before: str, after: str, running: LoadedPayload, wanted: LoadedPayload
) -> Iterator[Issue]:
    if not before or not after or before == after:
        return
    if after != MULTI:
        was = "several architectures" if before == MULTI else before
        yield codes.OTHER_ARCHITECTURE.issue(
            f"the cluster runs a release for {was}, and the update is for {after} only",
            hint="a cluster never goes back from several architectures to one"
            if before == MULTI
            else "its images do not start on the nodes of this cluster",
        )
    elif running.version != wanted.version:
        yield codes.OTHER_ARCHITECTURE.issue(
            "cannot change the version and the architecture at once: "
            f"{running.version} is for {before}, {wanted.version} for several architectures",
            hint="a cluster first goes to the multi release of its own version",
        )
