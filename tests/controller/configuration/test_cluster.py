# SPDX-License-Identifier: Apache-2.0
"""Image streams of a cluster configure release streams, as they do for the old controller."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from okd_payload.cluster import kinds
from okd_payload.controller.configuration.checks import check_surroundings
from okd_payload.controller.configuration.cluster import ANNOTATION, ClusterStreams, combine
from okd_payload.controller.configuration.folder import read_annotation
from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.errors import ClusterError
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.openshift import ImageStreams, serve_openshift

NIGHTLY = {"name": "4.20.0-0.okd-scos", "to": "release-scos", "publish": {}}
STABLE = {"name": "4-scos-stable", "as": "Stable"}
PUBLIC = "registry.test/origin/release-scos"


class Project:
    """A namespace with image streams."""

    def __init__(self) -> None:
        simulated = SimulatedCluster()
        serve_openshift(simulated)
        self.cluster = MemoryCluster("origin", cluster=simulated)
        self.streams = ImageStreams(simulated)
        self.watched = ClusterStreams(self.cluster, ["origin"])

    async def configure(self, name: str, content: object, *, public: str = "") -> None:
        """Make the image stream where there is none, and write its annotation."""
        if not self.streams.repository("origin", name):
            self.streams.add("origin", name, public=public)
        text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
        change = msgspec.json.encode({"metadata": {"annotations": {ANNOTATION: text}}})
        await self.cluster.patch(kinds.IMAGE_STREAM, name, change, namespace="origin")


@pytest.fixture
async def project() -> Project:
    """A namespace with the streams of OKD."""
    made = Project()
    await made.configure("release-scos", STABLE, public=PUBLIC)
    await made.configure("scos-4.20", NIGHTLY)
    made.streams.add("origin", "unrelated")
    return made


async def test_messages_may_be_written_beside_the_configuration(project: Project) -> None:
    """One above the stream's own, one in its place; a change is seen like any other."""

    async def told(**texts: str | None) -> str:
        annotations = {f"release.openshift.io/{key}": text for key, text in texts.items()}
        change = msgspec.json.encode({"metadata": {"annotations": annotations}})
        await project.cluster.patch(kinds.IMAGE_STREAM, "scos-4.20", change, namespace="origin")
        await project.watched.refresh()
        return project.watched()["4.20.0-0.okd-scos"].message

    await project.configure("scos-4.20", NIGHTLY | {"message": "Nightlies."})
    assert await told() == "Nightlies."
    assert await told(messagePrefix="Broken today.") == "Broken today.\n\nNightlies."
    assert await told(messageOverride="Gone soon.") == "Broken today.\n\nGone soon."
    assert await told(messagePrefix=None) == "Gone soon."


async def test_streams_are_where_their_image_streams_say(project: Project) -> None:
    """The input is the stream itself, releases are tags of the one that it names."""
    assert project.watched() == {}
    assert await project.watched.refresh()
    found = project.watched()
    nightly, stable = found["4.20.0-0.okd-scos"], found["4-scos-stable"]
    assert (nightly.input.image_stream, nightly.target) == ("origin/scos-4.20", "release-scos")
    assert (nightly.releases, nightly.content) == (PUBLIC, f"{PUBLIC}-content")
    assert (stable.kind, stable.target, stable.releases) == (
        StreamKind.STABLE,
        "release-scos",
        PUBLIC,
    )
    assert project.watched.issues == ()
    assert not await project.watched.refresh()


async def test_a_change_is_seen_and_a_broken_one_changes_nothing(project: Project) -> None:
    """The stream stays as it was, and what is wrong is told."""
    await project.watched.refresh()
    await project.configure("scos-4.20", NIGHTLY | {"maxUnreadyReleases": 3})
    assert await project.watched.refresh()
    await project.configure("scos-4.20", "{broken")
    assert not await project.watched.refresh()
    assert project.watched()["4.20.0-0.okd-scos"].max_unready == 3
    assert [issue.code for issue in project.watched.issues] == ["invalid-stream-configuration"]


async def test_a_stream_that_contradicts_itself_stays_as_it_was(project: Project) -> None:
    """As one in a file does; so does one whose target is not there for a while."""
    await project.watched.refresh()
    before = project.watched()["4.20.0-0.okd-scos"]
    unawaited = {"job": {"async": True, "prowJob": {"name": "e2e"}}}
    for broken in (NIGHTLY | {"verify": unawaited}, NIGHTLY | {"to": "gone"}):
        await project.configure("scos-4.20", broken)
        assert not await project.watched.refresh()
        assert project.watched()["4.20.0-0.okd-scos"] == before
        assert [issue.blocks for issue in project.watched.issues] == [True]


async def test_an_object_that_is_none_ends_nothing(project: Project) -> None:
    """What the cluster says is looked at again later."""
    odd = msgspec.json.encode({"spec": {"tags": "none"}})
    await project.cluster.patch(kinds.IMAGE_STREAM, "unrelated", odd, namespace="origin")
    clock = EndingClock(waits=6)
    following = asyncio.create_task(project.watched.follow(clock, seconds=5.0))
    waiting = asyncio.create_task(clock.ended.wait())
    await asyncio.wait((following, waiting), return_when=asyncio.FIRST_COMPLETED)
    assert waiting.done()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_a_target_that_is_not_there_and_a_name_that_is_twice_are_told(
    project: Project,
) -> None:
    """Neither is acted on."""
    await project.configure("x", {"name": "x", "to": "nowhere"})
    await project.configure("y", STABLE)
    await project.watched.refresh()
    assert set(project.watched()) == {"4.20.0-0.okd-scos", "4-scos-stable"}
    assert sorted(issue.code for issue in project.watched.issues) == [
        "duplicate-release-stream",
        "unusable-stream",
    ]


class EndingClock(ManualClock):
    """Tells when it was waited on so many times."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.ended = asyncio.Event()
        self._left = waits

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await super().wait(seconds)
        self._left -= 1
        if not self._left:
            self.ended.set()


async def test_it_is_looked_again_and_again_whatever_the_cluster_does(project: Project) -> None:
    """A change is there a little later, and a cluster without image streams ends nothing."""
    away = ClusterStreams(MemoryCluster("origin", cluster=SimulatedCluster()), ["origin"])
    with pytest.raises(ClusterError):
        await away.refresh()
    clock = EndingClock(waits=9)
    looking = [
        asyncio.create_task(each.follow(clock, seconds=5.0)) for each in (project.watched, away)
    ]
    await clock.ended.wait()
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    assert set(project.watched()) == {"4.20.0-0.okd-scos", "4-scos-stable"}
    assert away() == {}


def test_of_two_sources_the_first_counts() -> None:
    """A file of ours takes the place of an annotation."""
    ours = StreamConfiguration(name="a", title="ours")
    theirs = {name: StreamConfiguration(name=name, title="theirs") for name in ("a", "b")}
    combined = combine(lambda: {"a": ours}, lambda: theirs)
    assert {name: each.title for name, each in combined().items()} == {"a": "ours", "b": "theirs"}


async def test_a_file_of_openshift_is_for_the_image_stream_of_its_name(project: Project) -> None:
    """What the file says counts, where the annotation says; else it says that it has no place."""
    await project.watched.refresh()
    text = msgspec.json.encode(NIGHTLY | {"maxUnreadyReleases": 7}).decode()
    stream, _ = read_annotation(text, path="release-scos.json")
    (issue,) = check_surroundings({stream.name: stream}, has_cluster=True)
    assert (issue.code, issue.blocks) == ("placeless-stream", False)
    found = combine(lambda: {stream.name: stream}, project.watched)()
    placed = found["4.20.0-0.okd-scos"]
    assert (placed.max_unready, placed.releases) == (7, PUBLIC)
    assert placed.input.image_stream == "origin/scos-4.20"
    assert check_surroundings(found, has_cluster=True) == ()
