# SPDX-License-Identifier: Apache-2.0
"""Clusters are led from release to release, and never into one that was taken back."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as some
from known_releases import know

from okd_payload.controller.configuration.model import (
    EdgeRule,
    StreamConfiguration,
    StreamKind,
)
from okd_payload.controller.graph.cincinnati import make_document
from okd_payload.controller.graph.document import GraphDocument
from okd_payload.controller.graph.gaps import find_dead_ends, find_gaps
from okd_payload.controller.graph.nodes import Snapshot, make_snapshot
from okd_payload.controller.graph.traditional import make_old_document, parse_channel
from okd_payload.controller.model import RETRIED, Edge, PayloadFacts, Phase, Release, RunState
from okd_payload.oci.digest import digest_of

STREAM = "4-scos-stable"
PLACE = "quay.test/okd/release"
FOUR = ("4.19.0-okd-scos.0", "4.19.0-okd-scos.1", "4.20.0-okd-scos.0", "4.20.0-okd-scos.1")


def release(name: str, stream: str = STREAM, **fields: object) -> Release:
    """An accepted release, but for what ``fields`` say."""
    values = {"phase": "Accepted", "created": 1.0, "changed": 1.0, "input_hash": ""}
    digest = {"digest": digest_of(name.encode())}
    return msgspec.convert({"name": name, "stream": stream} | values | digest | fields, Release)


def facts(name: str, **fields: object) -> PayloadFacts:
    """What the payload of ``name`` says."""
    digest = digest_of(name.encode())
    values = {"stream": STREAM, "created": 1.0, "digest": digest, "version": name}
    spec = {"pull_spec": f"{PLACE}@{digest}"}
    return msgspec.convert({"release": name} | values | spec | fields, PayloadFacts)


def edge(source: str, target: str, state: RunState, run: str = "run") -> Edge:
    """A run of an update."""
    return Edge(source=source, target=target, run=run, url="", state=state, time=1.0)


def snapshot(
    releases: Iterable[Release | str] = FOUR,
    *,
    said: Iterable[PayloadFacts] = (),
    tested: Iterable[Edge] = (),
    rules: tuple[EdgeRule, ...] = (),
) -> Snapshot:
    """A stable stream with these releases."""
    stream = StreamConfiguration(
        name=STREAM, kind=StreamKind.STABLE, releases_name=PLACE, edges=rules
    )
    return make_snapshot(
        known=know(
            [release(each) if isinstance(each, str) else each for each in releases],
            {each.release: each for each in said},
        ),
        configurations={STREAM: stream},
        edges=tested,
    )


def graph(found: Snapshot, channel: str = "stable-scos-4", arch: str = "amd64") -> GraphDocument:
    """The graph of a channel."""
    return make_document(
        found,
        channel=channel,
        architecture=arch,
        link=lambda node: f"https://x.test/{node.release}",
    )


def edges(document: GraphDocument) -> set[tuple[str, str]]:
    """The recommended updates by version."""
    versions = [node.version for node in document.nodes]
    return {(versions[source], versions[target]) for source, target in document.edges}


def conditional(document: GraphDocument) -> dict[tuple[str, str], list[str]]:
    """The names of the risks of each conditional update."""
    return {
        (one.source, one.target): [risk.name for risk in group.risks]
        for group in document.conditional_edges
        for one in group.edges
    }


def test_neighbours_are_updates_by_default() -> None:
    """From each release to the next of its minor version, and from the last to the next first."""
    assert edges(graph(snapshot())) == set(itertools.pairwise(FOUR))


def test_a_minor_version_that_is_missing_is_not_leapt_over() -> None:
    """A cluster would refuse it."""
    assert edges(graph(snapshot(["4.18.1", "4.20.0"]))) == set()


def test_payloads_name_further_updates() -> None:
    """What a payload says of its predecessors and successors counts, where they exist."""
    said = [
        facts(FOUR[3], previous=(FOUR[0], "4.1.0")),
        facts(FOUR[0], following=(FOUR[2],)),
    ]
    found = edges(graph(snapshot(said=said)))
    assert {(FOUR[0], FOUR[3]), (FOUR[0], FOUR[2])} <= found


def test_a_tested_update_is_recommended_after_one_success() -> None:
    """Whatever failed before; a run that is under way or broke says nothing."""
    pair = (FOUR[0], FOUR[2])
    states = {"a": RunState.FAILED, "b": RunState.SUCCEEDED}
    tested = [edge(*pair, state, run) for run, state in states.items()]
    assert pair in edges(graph(snapshot(tested=tested)))
    for state in (RunState.RUNNING, RunState.ERROR, RunState.ABORTED):
        found = graph(snapshot(tested=[edge(*pair, state)]))
        assert pair not in edges(found)
        assert pair not in conditional(found)


def test_an_update_whose_tests_all_failed_is_conditional() -> None:
    """Also between neighbours: it is shown with its reason, and recommended to nobody."""
    pair = (FOUR[0], FOUR[1])
    found = graph(snapshot(tested=[edge(*pair, RunState.FAILED)]))
    assert pair not in edges(found)
    assert conditional(found) == {pair: ["UpdateTestsFailed_4_19_0_okd_scos_1"]}
    (risk,) = found.conditional_edges[0].risks
    assert (risk.url, risk.matching_rules[0].type) == (f"https://x.test/{pair[1]}", "Always")
    assert pair[0] in risk.message


def test_owners_block_updates_and_tie_them_to_risks() -> None:
    """A blocked update holds for all clusters, one with a query for those where it answers."""
    blocked = EdgeRule(source="4.19.*", target=FOUR[2], message="it hangs")
    risky = EdgeRule(
        source="*", target=FOUR[3], name="Slow", message="m", url="https://y.test", promql="up"
    )
    found = graph(snapshot(rules=(blocked, risky)))
    assert edges(found) == {(FOUR[0], FOUR[1])}
    name = "UpdateBlocked_4_20_0_okd_scos_0"
    assert conditional(found) == {(FOUR[1], FOUR[2]): [name], (FOUR[2], FOUR[3]): ["Slow"]}
    rules = {risk.name: risk for group in found.conditional_edges for risk in group.risks}
    assert rules[name].message == "it hangs"
    query = rules["Slow"].matching_rules[0]
    assert msgspec.to_builtins(query) == {"type": "PromQL", "promql": {"promql": "up"}}


def test_a_withdrawn_release_is_left_and_never_entered() -> None:
    """Its clusters go on to the next release that is offered; nobody else comes."""
    for gone in (
        release(FOUR[1], withdrawn=2.0),
        release(FOUR[1], phase="Rejected"),
    ):
        given = [FOUR[0], gone, *FOUR[2:]]
        tested = [edge(FOUR[0], FOUR[1], RunState.SUCCEEDED)]
        found = graph(snapshot(given, tested=tested))
        assert edges(found) == {
            (FOUR[0], FOUR[2]),
            (FOUR[1], FOUR[2]),
            (FOUR[2], FOUR[3]),
        }
        marks = [node.metadata.get("okd-payload.io/withdrawn") for node in found.nodes]
        assert marks == [None, "true", None, None]


def test_a_removed_stable_release_stays_a_tombstone() -> None:
    """Only what its payload said is left of it, and that is enough to leave it."""
    found = graph(snapshot([*FOUR[2:]], said=[facts(FOUR[1])]))
    assert (FOUR[1], FOUR[2]) in edges(found)
    assert found.nodes[0].payload == f"{PLACE}@{digest_of(FOUR[1].encode())}"


def test_a_removed_stable_release_leads_where_its_payload_said() -> None:
    """Beside the neighbour, which may be blocked."""
    said = [facts(FOUR[0], following=[FOUR[3]], previous=[FOUR[1]])]
    found = edges(graph(snapshot([*FOUR[1:]], said=said)))
    assert {(FOUR[0], FOUR[1]), (FOUR[0], FOUR[3])} <= found
    assert not [target for _, target in found if target == FOUR[0]]


def test_a_release_that_is_judged_anew_is_left_and_not_entered() -> None:
    """Clusters run it: without a node they would be told that their version is unknown."""
    anew = release(FOUR[1], phase="Ready", reason=RETRIED)
    found = graph(snapshot([FOUR[0], anew, *FOUR[2:]]))
    assert [node.version for node in found.nodes] == list(FOUR)
    assert (FOUR[1], FOUR[2]) in edges(found)
    assert not [source for source, target in edges(found) if target == FOUR[1]]


def test_what_was_never_offered_is_no_node() -> None:
    """Nobody installs a release that is being made or verified, or could not be made."""
    given = [release(FOUR[0], phase="Ready"), release(FOUR[1], phase="Failed", digest=None)]
    assert graph(snapshot(given)).nodes == ()


def test_nodes_tell_channel_digest_and_where_to_read() -> None:
    """What ``oc adm upgrade`` shows of a release comes from here."""
    node = graph(snapshot(said=[facts(FOUR[0], url="https://z.test/notes")])).nodes[0]
    digest = digest_of(FOUR[0].encode())
    assert node.payload == f"{PLACE}@{digest}"
    assert node.metadata == {
        "io.openshift.upgrades.graph.release.channels": (
            "stable-scos-4,stable-scos-4.19,stable-scos-4.20"
        ),
        "io.openshift.upgrades.graph.release.manifestref": digest,
        "io.openshift.upgrades.graph.release.arch": "amd64",
        "url": "https://z.test/notes",
    }


def test_channel_and_architecture_choose() -> None:
    """Whoever asks for others gets an empty graph, as of any Cincinnati server."""
    found = snapshot(said=[facts(FOUR[0], architecture="arm64")])
    assert [node.version for node in graph(found, arch="arm64").nodes] == [FOUR[0]]
    assert FOUR[0] not in [node.version for node in graph(found).nodes]
    assert graph(found, "stable-scos-4.18").nodes == ()
    assert graph(found, "other").nodes == ()


def test_a_version_of_two_streams_is_one_node() -> None:
    """The one that is offered: versions are unique in a graph."""
    other = StreamConfiguration(name="b", channels=("stable-scos-4",), releases_name=PLACE)
    first = StreamConfiguration(name=STREAM, kind=StreamKind.STABLE, releases_name=PLACE)
    found = make_snapshot(
        known=know(
            [release("a", phase="Rejected"), release("4.20.0", stream="b")],
            {"a": facts("a", version="4.20.0"), "4.20.0": facts("4.20.0", stream="b")},
        ),
        configurations={STREAM: first, "b": other},
        edges=[],
    )
    (node,) = graph(found).nodes
    assert node.payload == f"{PLACE}@{digest_of(b'4.20.0')}"


def test_a_stable_release_without_a_tested_way_in_is_a_gap() -> None:
    """For each neighbour: not tested, or tried and failed."""
    tested = [
        edge(FOUR[0], FOUR[1], RunState.SUCCEEDED),
        edge(FOUR[1], FOUR[2], RunState.FAILED),
        edge(FOUR[0], FOUR[3], RunState.SUCCEEDED),
    ]
    found = find_gaps(snapshot(tested=tested))
    assert [(gap.release, gap.before, gap.has_failed) for gap in found] == [
        (FOUR[2], FOUR[1], True),
        (FOUR[3], FOUR[2], False),
    ]


def test_a_release_that_no_cluster_is_to_leave_is_a_dead_end() -> None:
    """By the owner's word or failed tests, until any way on is there for some clusters."""
    tested = [edge(*pair, RunState.SUCCEEDED) for pair in itertools.pairwise(FOUR[:3])]
    tested.append(edge(FOUR[2], FOUR[3], RunState.FAILED))
    blocked = EdgeRule(source=FOUR[1], target=FOUR[2], message="disks are lost")
    found = snapshot(tested=tested, rules=(blocked,))
    first, second = find_dead_ends(found)
    assert (first.stream, first.release, first.following) == (STREAM, FOUR[1], FOUR[2])
    assert first.message == "disks are lost"
    assert (second.release, second.following) == (FOUR[2], FOUR[3])
    assert "The one test" in second.message
    assert find_dead_ends(found, "another") == []
    around = [*tested, edge(FOUR[1], FOUR[3], RunState.SUCCEEDED)]
    left = find_dead_ends(snapshot(tested=around, rules=(blocked,)))
    assert [each.release for each in left] == [FOUR[2]]
    some_only = msgspec.structs.replace(blocked, name="Disks", promql="disks")
    left = find_dead_ends(snapshot(tested=tested, rules=(some_only,)))
    assert [each.release for each in left] == [FOUR[2]]
    untested = find_gaps(snapshot(FOUR[:3], rules=(blocked,)))
    assert [gap.is_blocked for gap in untested] == [False, True]


def test_the_old_graph_has_every_release_and_the_tested_updates() -> None:
    """As clusters know it, but never into what was withdrawn, and blocked updates as such."""
    given = [*FOUR[:2], release(FOUR[2], phase="Pending", digest=None), release(FOUR[3])]
    tested = [
        edge(FOUR[0], FOUR[1], RunState.SUCCEEDED),
        edge(FOUR[0], FOUR[2], RunState.RUNNING),
        edge(FOUR[1], FOUR[3], RunState.SUCCEEDED),
        edge("4.1.0", FOUR[3], RunState.SUCCEEDED),
    ]
    rule = EdgeRule(source=FOUR[1], target=FOUR[3], message="no")

    def shown(channel: str, **more: object) -> tuple[set[tuple[str, str]], int]:
        wanted = parse_channel(channel)
        assert wanted is not None
        document = make_old_document(
            snapshot(more.get("given", given), tested=tested, rules=more.get("rules", ())),  # type: ignore[arg-type]
            channel=wanted,
            architecture="",
            link=lambda node: f"https://x.test/{node.release}",
        )
        names = [node.version for node in document.nodes or ()]
        assert names == list(FOUR)
        pairs = {(names[source], names[target]) for source, target in document.edges or ()}
        return pairs, len(document.conditional_edges)

    assert shown("stable-4") == ({(FOUR[0], FOUR[1]), (FOUR[1], FOUR[3])}, 0)
    assert shown("") == shown("next-scos") == shown("stable-4")
    assert shown("stable-scos-4.19") == ({(FOUR[0], FOUR[1])}, 0)
    assert shown("prerelease") == shown("stable-4"), "what is not made yet cannot be pulled"
    made = [*given[:2], release(FOUR[2], phase="Ready"), given[3]]
    assert shown("prerelease", given=made) == (
        {(FOUR[0], FOUR[1]), (FOUR[1], FOUR[3]), (FOUR[0], FOUR[2])},
        0,
    )
    assert shown("nightly-4.20") == (set(), 0)
    assert shown("stable-4", rules=(rule,)) == ({(FOUR[0], FOUR[1])}, 1)
    gone = [*given[:3], release(FOUR[3], withdrawn=1.0)]
    assert shown("stable-4", given=gone) == ({(FOUR[0], FOUR[1])}, 0)
    assert parse_channel("fast-4.20") is None


PHASES = some.sampled_from(list(Phase))


@given(
    some.dictionaries(
        some.builds("4.{}.{}".format, some.integers(0, 4), some.integers(0, 5)),
        some.tuples(PHASES, some.booleans()),
        max_size=20,
    )
)
def test_every_graph_is_sound(given: dict[str, tuple[Phase, bool]]) -> None:
    """Ends exist, versions are unique, ways lead onward, and only to what is offered."""
    found = graph(
        snapshot(
            release(name, phase=phase.value, withdrawn=1.0 if withdrawn else None)
            for name, (phase, withdrawn) in given.items()
        )
    )
    versions = [node.version for node in found.nodes]
    assert len(set(versions)) == len(versions)
    offered = {
        name
        for name, (phase, withdrawn) in given.items()
        if phase is Phase.ACCEPTED and not withdrawn
    }
    for source, target in found.edges:
        assert versions[target] in offered
        assert source < target
    nexts = {source for source, _ in found.edges}
    for place, version in enumerate(versions):
        minor = version.rpartition(".")[0]
        if any(other.rpartition(".")[0] == minor for other in offered & set(versions[place + 1 :])):
            assert place in nexts
