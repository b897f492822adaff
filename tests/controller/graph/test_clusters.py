# SPDX-License-Identifier: Apache-2.0
"""Whatever is on record and whatever payloads say, clusters can use the graph."""

from __future__ import annotations

import msgspec
from cluster_client import look, look_everywhere, read
from hypothesis import given
from hypothesis import strategies as some
from known_releases import know

from okd_payload.controller.configuration.model import (
    EdgeRule,
    StreamConfiguration,
    StreamKind,
)
from okd_payload.controller.graph.cincinnati import make_document
from okd_payload.controller.graph.nodes import Node, Snapshot, make_snapshot
from okd_payload.controller.graph.traditional import make_old_document, parse_channel
from okd_payload.controller.model import Edge, PayloadFacts, Phase, Release, RunState
from okd_payload.oci.digest import digest_of

CHANNEL = "stable-4"
PLACE = "quay.test/okd/release"
STREAMS = ("4-stable", "4-scos-stable")
_VERSIONS = some.builds(
    "4.{}.{}{}".format, some.integers(18, 20), some.integers(0, 2), some.just("")
)
VERSIONS = _VERSIONS | some.builds(
    "{}{}".format,
    _VERSIONS,
    some.sampled_from(["-rc.1", "-0.okd-2026", "+amd64", "-a.b", "-a-b", "-a-"]),
)
NAMES = VERSIONS.filter(lambda name: "+" not in name) | some.sampled_from(
    ["mine-2026", "v4.20.1", "4.20", "04.1.2", "4.20.1-01"]
)
ADDRESSES = some.sampled_from(
    [
        "",
        "https://x.test/a?b=%20",
        "https://x.test/%zz",
        "http://[::1",
        "a b:c",
        "//x",
        "https://x\n",
    ]
)
RULES = some.builds(
    EdgeRule,
    source=some.just("*") | VERSIONS,
    target=some.just("4.20.*") | some.just("*") | VERSIONS,
    name=some.just(""),
    message=some.sampled_from(["it hangs", "it loses data"]),
)


@some.composite
def records(draw: some.DrawFn) -> Snapshot:
    """Releases of two streams in one channel, and everything that is said of them."""
    names = draw(some.lists(NAMES, unique=True, max_size=9))
    releases, facts = [], {}
    for name in names:
        stream, digest = draw(some.sampled_from(STREAMS)), digest_of(name.encode())
        release = Release(
            name=name,
            stream=stream,
            phase=draw(some.sampled_from(Phase)),
            created=1.0,
            changed=1.0,
            input_hash="",
            digest=draw(some.sampled_from([digest, digest, None])),
            pull_spec=draw(some.sampled_from(["", f"{PLACE}:{name}", f"{PLACE}@{digest}"])),
            withdrawn=draw(some.sampled_from([None, None, 1.0])),
        )
        if draw(some.booleans()):
            facts[name] = PayloadFacts(
                release=name,
                stream=stream,
                created=1.0,
                digest=digest,
                pull_spec=f"{PLACE}@{digest}",
                version=draw(some.just(name) | VERSIONS),
                previous=tuple(draw(some.lists(NAMES, max_size=2))),
                following=tuple(draw(some.lists(NAMES, max_size=2))),
                url=draw(ADDRESSES),
            )
        if draw(some.integers(0, 5)):
            releases.append(release)
    pairs = some.tuples(
        some.sampled_from(names or ["4.18.0"]), some.sampled_from(names or ["4.18.1"])
    )
    tested = [
        Edge(source=source, target=target, run=str(run), url=url, state=state, time=float(run))
        for run, ((source, target), url, state) in enumerate(
            draw(some.lists(some.tuples(pairs, ADDRESSES, some.sampled_from(RunState)), max_size=9))
        )
    ]
    places = draw(some.sampled_from([PLACE, PLACE, ""]))
    return make_snapshot(
        known=know(
            releases,
            facts,
        ),
        configurations={
            name: StreamConfiguration(
                name=name,
                kind=StreamKind.STABLE,
                channels=(CHANNEL,),
                releases_name=places,
                edges=tuple(draw(some.lists(RULES, max_size=3))),
            )
            for name in STREAMS
        },
        edges=tested,
    )


def link(node: Node) -> str:
    """Where people read about a release."""
    return f"https://releases.test/{node.release}"


@given(records())
def test_every_graph_serves_every_cluster(found: Snapshot) -> None:
    """Each cluster finds its version and its updates, and its API server takes all of it."""
    content = msgspec.json.encode(
        make_document(found, channel=CHANNEL, architecture="amd64", link=link)
    )
    for offers in look_everywhere(content):
        assert not offers.updates.keys() & offers.conditional.keys()


@given(records(), some.sampled_from(["", "stable-4", "prerelease", "nightly-4.20"]))
def test_every_old_graph_serves_every_cluster(found: Snapshot, channel: str) -> None:
    """Clusters ask at the old address, too, and read it no less strictly."""
    wanted = parse_channel(channel)
    assert wanted is not None
    look_everywhere(
        msgspec.json.encode(make_old_document(found, channel=wanted, architecture="", link=link))
    )


def releases(*names: str) -> list[Release]:
    """Accepted releases of the first stream."""
    return [
        Release(
            name=name,
            stream=STREAMS[0],
            phase=Phase.ACCEPTED,
            created=1.0,
            changed=1.0,
            input_hash="",
            digest=digest_of(name.encode()),
        )
        for name in names
    ]


def facts(name: str, **fields: object) -> PayloadFacts:
    """What the payload of ``name`` says."""
    digest = digest_of(name.encode())
    values = {"stream": STREAMS[0], "created": 1.0, "digest": digest, "pull_spec": ""}
    return msgspec.convert({"release": name} | values | fields, PayloadFacts)


def snapshot(
    names: list[str], *said: PayloadFacts, tested: list[Edge] | None = None, **fields: object
) -> Snapshot:
    """These releases, and what is said of them."""
    values = {"name": STREAMS[0], "channels": (CHANNEL,), "releases_name": PLACE} | fields
    return make_snapshot(
        known=know(
            releases(*names),
            {each.release: each for each in said},
        ),
        configurations={STREAMS[0]: StreamConfiguration(**values)},  # type: ignore[arg-type]
        edges=tested or [],
    )


def graph_of(found: Snapshot, architecture: str = "amd64") -> bytes:
    """The graph of the channel."""
    document = make_document(found, channel=CHANNEL, architecture=architecture, link=link)
    return msgspec.json.encode(document)


def old_graph_of(found: Snapshot) -> bytes:
    """The graph as the old address gives it."""
    channel = parse_channel(CHANNEL)
    assert channel is not None
    return msgspec.json.encode(
        make_old_document(found, channel=channel, architecture="amd64", link=link)
    )


def tell_failures(*targets: str) -> list[Edge]:
    """Failed updates from 4.18.0."""
    return [
        Edge(source="4.18.0", target=each, run=each, state=RunState.FAILED, time=1.0)
        for each in targets
    ]


def test_risks_of_different_updates_are_different_risks() -> None:
    """An administrator who accepts one has not accepted the next."""
    failed = tell_failures("4.18.1", "4.18.2")
    rule = EdgeRule(source="*", target="4.18.*", message="it hangs")
    found = snapshot(["4.18.0", "4.18.1", "4.18.2"], tested=failed, edges=(rule,))
    offers = look(graph_of(found), "4.18.0")
    assert {
        version: [risk.name for risk in risks] for version, risks in offers.conditional.items()
    } == {
        "4.18.1": ["UpdateBlocked_4_18_1", "UpdateTestsFailed_4_18_1"],
        "4.18.2": ["UpdateBlocked_4_18_2", "UpdateTestsFailed_4_18_2"],
    }


def test_versions_that_differ_in_build_metadata_are_one() -> None:
    """A cluster on either finds the node, and its way on."""
    said = [facts("4.18.0", version="4.18.0+a"), facts("4.18.0-b", version="4.18.0+b")]
    content = graph_of(snapshot(["4.18.0", "4.18.0-b", "4.18.1"], *said))
    for version in ("4.18.0+a", "4.18.0+b"):
        assert list(look(content, version).updates) == ["4.18.1"]


def test_an_address_that_nobody_can_parse_is_not_passed_on() -> None:
    """One payload would cost all clusters before it their updates."""
    said = facts("4.18.1", url="https://x.test/%zz")
    offers = look(graph_of(snapshot(["4.18.0", "4.18.1"], said)), "4.18.0")
    assert offers.updates["4.18.1"].metadata["url"] == "https://releases.test/4.18.1"


def test_a_release_that_nobody_can_pull_is_not_offered() -> None:
    """Where no place is known; what its payload was read from is one."""
    names = ["4.18.0", "4.18.1", "4.18.2"]
    digest = digest_of(b"4.18.2")
    said = facts("4.18.2", pull_spec=f"quay.test/old@{digest}")
    found = read(graph_of(snapshot(names, said, releases_name="")))
    assert [each.payload for each in found.nodes or ()] == [f"quay.test/old@{digest}"]


def test_a_cluster_changes_to_several_architectures_in_its_own_version() -> None:
    """The operator looks for the version that runs, in the graph of the other architecture."""
    said = [facts("4.18.1-multi", version="4.18.1", architecture="multi")]
    found = snapshot(["4.18.0", "4.18.1", "4.18.1-multi"], *said)
    current = look(graph_of(found, "multi"), "4.18.1").current
    assert current.payload.endswith(digest_of(b"4.18.1-multi"))
    assert current.metadata["release.openshift.io/architecture"] == "multi"
    assert look(graph_of(found), "4.18.1").current.payload.endswith(digest_of(b"4.18.1"))


def test_a_name_that_is_no_version_costs_no_cluster_its_updates() -> None:
    """At the old address, where nodes are called as releases are."""
    passed = Edge(source="4.18.0", target="4.18.1", run="r", state=RunState.SUCCEEDED, time=1.0)
    content = old_graph_of(snapshot(["mine-2026", "4.18.0", "4.18.1"], tested=[passed]))
    assert list(look(content, "4.18.0").updates) == ["4.18.1"]


def test_conditional_updates_name_their_nodes() -> None:
    """Also where a release is called otherwise than its payload says."""
    passed = Edge(source="4.18.0", target="4.18.1", run="r", state=RunState.SUCCEEDED, time=1.0)
    rule = EdgeRule(source="*", target="*", message="it hangs")
    said = facts("4.18.1", version="4.18.1-rc.7")
    found = snapshot(["4.18.0", "4.18.1"], said, tested=[passed], edges=(rule,))
    assert list(look(old_graph_of(found), "4.18.0").conditional) == ["4.18.1"]
    assert list(look(graph_of(found), "4.18.0").conditional) == ["4.18.1-rc.7"]


def test_no_update_leads_to_a_payload_that_is_known_by_a_tag_alone() -> None:
    """A cluster verifies digests, and would refuse it."""
    passed = Edge(source="4.18.0", target="4.18.1", run="r", state=RunState.SUCCEEDED, time=1.0)
    whole, (target,) = releases("4.18.0"), releases("4.18.1")
    tagged = msgspec.structs.replace(target, digest=None, pull_spec=f"{PLACE}:4.18.1")
    found = make_snapshot(
        known=know([*whole, tagged], {}),
        configurations={STREAMS[0]: StreamConfiguration(name=STREAMS[0], releases_name=PLACE)},
        edges=[passed],
    )
    assert look(old_graph_of(found), "4.18.0").updates == {}
