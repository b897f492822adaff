# SPDX-License-Identifier: Apache-2.0
"""Image streams are watched, one watch for each namespace, across whatever ends a watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from rig import CONTENT, RELEASES, STREAM, Rig

from okd_payload.clock import SystemClock
from okd_payload.cluster import Cluster
from okd_payload.cluster.kinds import IMAGE_STREAM
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.controller.configuration.cluster import ANNOTATION, ClusterStreams
from okd_payload.controller.configuration.model import Input, StreamConfiguration, StreamKind
from okd_payload.controller.inputs.watching import PAUSES, ImageStreamWatches, places_of
from okd_payload.controller.model import Release
from okd_payload.controller.records import streams
from okd_payload.controller.service import Service
from okd_payload.testing.event_clock import EventClock
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.kubernetes.faults import Compact, CutStream, Fault, Refuse
from okd_payload.testing.kubernetes.server import KubernetesServer
from okd_payload.testing.openshift import ImageStreams, serve_openshift

DEADLINE = 60.0
DIGEST = "sha256:" + "a" * 64


class NoVerifier:
    """Nothing is verified here."""

    async def advance(self, configuration: object, release: Release) -> None:
        """Nothing."""

    async def abort(self, release: Release, *, reason: str) -> None:
        """Nothing."""


class Heard:
    """What was told, and waiting for it."""

    def __init__(self) -> None:
        self.places: list[tuple[str, str]] = []
        self._changed = asyncio.Event()

    def __call__(self, namespace: str, name: str) -> None:
        """Remember it."""
        self.places.append((namespace, name))
        self._changed.set()

    async def until(self, place: tuple[str, str], *, times: int = 1) -> None:
        """Return when ``place`` was told of so often."""
        async with asyncio.timeout(DEADLINE):
            while self.places.count(place) < times:
                self._changed.clear()
                await self._changed.wait()


class Project:
    """A cluster with the image streams of OKD, and a server before it."""

    def __init__(self) -> None:
        self.simulated = SimulatedCluster()
        serve_openshift(self.simulated)
        self.server = KubernetesServer(self.simulated)
        self.streams = ImageStreams(self.simulated)
        self.simulated.add_namespace("origin")
        self.streams.add("origin", "scos-4.20", public="registry.test/origin/scos-4.20")

    def push(self, tag: str) -> None:
        """Tag an image in the image stream."""
        self.streams.push("origin", "scos-4.20", tag, DIGEST)

    def watches_open(self) -> int:
        """How often a watch of image streams was asked for."""
        return sum("watch" in each.query for each in self.server.requests)


@pytest.fixture
async def project() -> AsyncIterator[Project]:
    """The cluster, running."""
    made = Project()
    async with made.server:
        yield made


@pytest.fixture
async def cluster(project: Project, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A way to it through its API."""
    path = project.server.write_kubeconfig(tmp_path / "kubeconfig", namespace="origin")
    async with open_cluster(path) as opened:
        yield opened


@pytest.fixture
async def watches(cluster: Cluster) -> AsyncIterator[ImageStreamWatches]:
    """Watches over it."""
    made = ImageStreamWatches(cluster, SystemClock())
    yield made
    await made.close()


def stream(**fields: object) -> StreamConfiguration:
    """A stream of an image stream."""
    return StreamConfiguration(name="s", **fields)  # type: ignore[arg-type]  # fields of the test


def test_every_image_stream_that_decides_is_known() -> None:
    """Inputs, what is mirrored, and stable streams; repositories and ended streams are none."""
    mirrored = Input(repository="quay.test/a", mirror_from="ocp/4.20")
    assert places_of(stream(input=mirrored), "here") == {("ocp", "4.20")}
    elsewhere = Input(repository="quay.test/a", mirror_from="quay.test/b")
    assert places_of(stream(input=elsewhere), "here") == set()
    near = stream(input=Input(image_stream="scos-4.20"))
    assert places_of(near, "here") == {("here", "scos-4.20")}
    stable = stream(kind=StreamKind.STABLE, input=Input(image_stream="origin/release"))
    assert places_of(stable, "here") == {("origin", "release")}
    ended = msgspec.structs.replace(stable, end_of_life=True)
    assert places_of(ended, "here") == set()


async def test_a_change_is_told_at_once_by_one_watch(
    project: Project, watches: ImageStreamWatches
) -> None:
    """However many want the namespace; when nobody wants it, nobody is told."""
    heard = Heard()
    watches.listen(heard)
    watches.want("one", ["origin"])
    watches.want("two", ["origin"])
    await heard.until(("origin", "scos-4.20"))
    project.push("etcd")
    await heard.until(("origin", "scos-4.20"), times=2)
    assert project.watches_open() == 1
    watches.want("one", [])
    project.push("cli")
    await heard.until(("origin", "scos-4.20"), times=3)
    watches.want("two", [])
    project.push("installer")
    await asyncio.sleep(0.05)
    assert len(heard.places) == 3


@pytest.mark.parametrize("fault", [CutStream(after=0), Compact(), Refuse(code=503)], ids=repr)
async def test_a_watch_that_is_cut_goes_on(
    project: Project, watches: ImageStreamWatches, fault: Fault
) -> None:
    """A cut, a moment that the server forgot (410), a server that is restarting."""
    heard = Heard()
    watches.listen(heard)
    watches.want("test", ["origin"])
    await heard.until(("origin", "scos-4.20"))
    project.server.faults.add(fault)
    project.server.cut_streams()
    project.push("etcd")
    await heard.until(("origin", "scos-4.20"), times=2)
    assert watches.troubles == {}


async def test_a_watch_that_is_refused_is_told_and_tried_again(
    project: Project, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody gives the right later; once is enough in the log."""
    user = "system:serviceaccount:origin:controller"
    few = MemoryCluster("origin", cluster=project.simulated, user=user)
    async with EventClock() as clock:
        watches, heard = ImageStreamWatches(few, clock), Heard()
        watches.listen(heard)
        watches.want("test", ["origin"])
        await clock.wait(sum(PAUSES))
        assert "imagestreams" in watches.troubles["origin"]
        assert caplog.text.count("are not watched, only looked at") == 1
        project.simulated.access.grant(
            user, ["list", "watch"], ["imagestreams.image.openshift.io"], namespace="origin"
        )
        await clock.wait(PAUSES[-1])
        await heard.until(("origin", "scos-4.20"))
        assert watches.troubles == {}
        await watches.close()


async def test_a_stream_looks_at_its_images_when_they_change(
    rig: Rig, project: Project, watches: ImageStreamWatches, cluster: Cluster
) -> None:
    """Soon, although it would look by itself in an hour only, and once for many changes.

    Nobody watches afterwards.
    """
    rig.configure(
        input=Input(image_stream="origin/scos-4.20", poll=3600.0, settle=1e6),
        content=CONTENT,
        releases=RELEASES,
    )
    surroundings = msgspec.structs.replace(
        rig.surroundings, cluster=cluster, watches=watches, clock=SystemClock()
    )
    service = Service(surroundings, verifier=NoVerifier())
    running = asyncio.create_task(service.run())
    project.push("etcd")
    first = await seen(rig)
    project.push("cli")
    second = await seen(rig, other_than=first)
    looks = service.health.passes
    for number in range(50):
        project.push(f"image-{number}")
        await asyncio.sleep(0)
    assert await seen(rig, other_than=second)
    assert service.health.passes - looks <= 5
    assert service.health.unwatched == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    heard = Heard()
    watches.listen(heard)
    project.push("installer")
    await asyncio.sleep(0.05)
    assert heard.places == []


async def seen(rig: Rig, *, other_than: str = "") -> str:
    """The hash of the inputs as they were seen last."""
    async with asyncio.timeout(DEADLINE):
        while True:
            state = await rig.database.read(lambda unit: streams.find(unit, STREAM))
            if state.input_hash and state.input_hash != other_than:
                return state.input_hash
            await asyncio.sleep(0.01)


async def test_annotations_are_read_when_they_change(
    project: Project, watches: ImageStreamWatches, cluster: Cluster
) -> None:
    """At once, and once for many changes."""
    configured = ClusterStreams(cluster, ["origin"])
    watches.listen(configured.note_change)
    watches.want("annotations", ["origin"])
    following = asyncio.create_task(configured.follow(SystemClock(), seconds=3600))
    text = msgspec.json.encode({"name": "4-scos-stable", "as": "Stable"}).decode()
    change = {"metadata": {"annotations": {ANNOTATION: text}}}
    project.simulated.patch(IMAGE_STREAM, "scos-4.20", change, namespace="origin")
    async with asyncio.timeout(DEADLINE):
        while True:
            if configured():
                break
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert set(configured()) == {"4-scos-stable"}
