# SPDX-License-Identifier: Apache-2.0
"""Whatever a stream watches, the same images give the same hash and every change another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from okd_payload.cluster import kinds
from okd_payload.controller.configuration.model import Input, StreamConfiguration
from okd_payload.controller.inputs.mirroring import mirror, plan_mirror
from okd_payload.controller.inputs.observing import note, observe
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import StreamState
from okd_payload.controller.records import open_database
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, RegistryUnavailable
from okd_payload.oci.digest import digest_of
from okd_payload.oci.location import Location
from okd_payload.oci.repository import Repository
from okd_payload.progress import ignore_progress
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.images import push_image
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.openshift import ImageStreams, serve_openshift
from okd_payload.testing.openshift.registry import StreamRegistry

OURS, THEIRS = "quay.test/okd/scos", "quay.test/ocp/images"


class Places:
    """Repositories by name, opened as the controller opens them."""

    def __init__(self) -> None:
        self.repositories = {name: MemoryRepository(name) for name in (OURS, THEIRS)}
        self.error: Exception | None = None

    async def open(self, location: Location) -> Repository:
        """The repository at ``location``, unless a test wants it to be away."""
        if self.error:
            raise self.error
        return self.repositories[location.repository]


@pytest.fixture
def places() -> Places:
    """Two empty repositories."""
    return Places()


@pytest.fixture
async def surroundings(places: Places, tmp_path: Path) -> AsyncIterator[Surroundings]:
    """A controller's surroundings with these repositories."""
    database = open_database("sqlite:///:memory:")
    yield Surroundings(
        database=database,
        clock=ManualClock(),
        progress=ignore_progress,
        configurations=dict,
        open_location=places.open,
        open_target=places.open,
        state=tmp_path,
    )
    await database.close()


def watching(**fields: object) -> StreamConfiguration:
    """A stream whose input has ``fields``."""
    return StreamConfiguration(name="s", content=OURS, input=msgspec.convert(fields, Input))


async def push(places: Places, name: str, tag: str, content: str) -> str:
    """An image of ``content`` under ``tag``; its digest."""
    repository = places.repositories[name]
    return (await push_image(repository, tag=tag, layers=[content.encode()])).digest


async def test_a_repository_is_its_tags(places: Places, surroundings: Surroundings) -> None:
    """Tags that serve another purpose are none of the stream's; globs choose among the rest."""
    digest = await push(places, OURS, "etcd", "etcd")
    for tag in ("cli", "cli-artifacts", f"build-{'a' * 64}", f"kept-{'b' * 64}"):
        await push(places, OURS, tag, tag)
    found = await read_input(surroundings, watching(repository=OURS))
    assert [image.tag for image in found.images] == ["cli", "cli-artifacts", "etcd"]
    assert found.images[2].reference == f"{OURS}@{digest}"
    chosen = await read_input(
        surroundings, watching(repository=OURS, include=("cli*",), exclude=("*-artifacts",))
    )
    assert [image.tag for image in chosen.images] == ["cli"]
    assert chosen.input_hash != found.input_hash


async def test_every_change_is_another_hash(places: Places, surroundings: Surroundings) -> None:
    """Content, a new name for the same content, and the repository of the payload all count."""
    await push(places, OURS, "etcd", "one")
    configuration = watching(repository=OURS)
    hashes = [(await read_input(surroundings, configuration)).input_hash]
    assert (await read_input(surroundings, configuration)).input_hash == hashes[0]
    await push(places, OURS, "etcd", "two")
    hashes.append((await read_input(surroundings, configuration)).input_hash)
    await push(places, OURS, "etcd2", "two")
    hashes.append((await read_input(surroundings, configuration)).input_hash)
    moved = msgspec.structs.replace(configuration, content="quay.test/elsewhere/x")
    hashes.append((await read_input(surroundings, moved)).input_hash)
    assert len(set(hashes)) == 4
    message = msgspec.structs.replace(configuration, message="hello")
    assert (await read_input(surroundings, message)).input_hash == hashes[2]


async def test_nothing_is_made_of_nothing(surroundings: Surroundings) -> None:
    """An empty stream has no hash, so no release is begun."""
    assert (await read_input(surroundings, watching(repository=OURS))).input_hash == ""


async def test_a_file_and_a_cluster_are_read_alike(
    tmp_path: Path, surroundings: Surroundings
) -> None:
    """The same images give the same hash wherever the stream is."""
    digest = digest_of(b"x")
    stream = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": "4.20", "namespace": "okd"},
        "spec": {
            "tags": [
                {"name": "x", "from": {"kind": "DockerImage", "name": f"quay.test/a/b@{digest}"}}
            ]
        },
        "status": {
            "tags": [
                {
                    "tag": "x",
                    "items": [{"image": digest, "dockerImageReference": f"quay.test/a/b@{digest}"}],
                }
            ]
        },
    }
    path = tmp_path / "stream.json"
    path.write_bytes(msgspec.json.encode(stream))
    from_file = await read_input(surroundings, watching(file=str(path)))
    with pytest.raises(InputError, match="none is known here"):
        await read_input(surroundings, watching(image_stream="okd/4.20"))
    cluster = MemoryCluster()
    cluster.simulated.serve(kinds.IMAGE_STREAM)
    cluster.add(kinds.IMAGE_STREAM, "4.20", path.read_bytes(), namespace="okd")
    there = msgspec.structs.replace(surroundings, cluster=cluster)
    assert await read_input(there, watching(image_stream="okd/4.20")) == from_file
    (image,) = from_file.images
    assert (image.tag, image.digest) == ("x", digest)


async def test_references_of_an_image_stream_are_what_they_refer_to_now(
    places: Places, surroundings: Surroundings
) -> None:
    """By digest, or by a tag whose move is a change; what is not there or no name is told."""
    pinned, loose = f"{OURS}@{digest_of(b'x')}", f"{OURS}:etcd"
    references = {"pinned": pinned, "etcd": loose, "gone": f"{OURS}:gone", "odd": "No Name"}
    cluster = MemoryCluster("okd")
    cluster.simulated.serve(kinds.IMAGE_STREAM)
    stream = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "4.20"},
        "spec": {
            "tags": [
                {"name": tag, "reference": True, "from": {"kind": "DockerImage", "name": name}}
                for tag, name in references.items()
            ]
        },
        "status": {
            "tags": [
                {"tag": "etcd", "items": [{"image": digest_of(b"of before it was a reference")}]}
            ]
        },
    }
    cluster.add(kinds.IMAGE_STREAM, "4.20", msgspec.json.encode(stream))
    there = msgspec.structs.replace(surroundings, cluster=cluster)
    chosen = watching(image_stream="okd/4.20", exclude=("gone", "odd"))
    first = await push(places, OURS, "etcd", "one")
    found = await read_input(there, chosen)
    assert [(image.tag, image.reference) for image in found.images] == [
        ("etcd", f"{OURS}@{first}"),
        ("pinned", pinned),
    ]
    await push(places, OURS, "etcd", "two")
    assert (await read_input(there, chosen)).input_hash != found.input_hash
    for tag, complaint in (("odd", "gone refers to .*, which is not there"), ("gone", "odd: ")):
        wrong = watching(image_stream="okd/4.20", exclude=(tag,))
        with pytest.raises(InputError, match=f"okd/4.20: the tag {complaint}"):
            await read_input(there, wrong)
        seen = await observe(there, wrong, StreamState(name="s"))
        assert "okd/4.20: the tag" in seen.state.error


async def test_what_is_not_pinned_is_no_input(tmp_path: Path, surroundings: Surroundings) -> None:
    """A tag by name could mean another image tomorrow, unseen."""
    path = tmp_path / "stream.json"
    path.write_text(
        '{"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "spec": {"tags": '
        '[{"name": "x", "from": {"kind": "DockerImage", "name": "quay.test/a/b:1"}}]}}'
    )
    with pytest.raises(InputError, match="x is not pinned"):
        await read_input(surroundings, watching(file=str(path)))
    with pytest.raises(InputError, match="cannot read"):
        await read_input(surroundings, watching(file=str(tmp_path / "nowhere")))


async def test_what_cannot_be_read_is_remembered_and_begins_nothing(
    places: Places, surroundings: Surroundings
) -> None:
    """The first moment of trouble stays until a look succeeds."""
    await push(places, OURS, "etcd", "one")
    configuration, clock = watching(repository=OURS), surroundings.clock
    assert isinstance(clock, ManualClock)
    first = await observe(surroundings, configuration, StreamState(name="s"))
    assert (first.state.error, first.state.seen) == ("", clock.now())
    places.error = RegistryUnavailable("the registry is down")
    began = clock.now()
    state = first.state
    for _ in range(2):
        clock.advance(60)
        seen = await observe(surroundings, configuration, state)
        assert seen.images.input_hash == ""
        state = seen.state
    assert (state.error, state.error_since) == ("the registry is down", began + 60)
    assert state.input_hash == first.state.input_hash
    places.error = None
    last = await observe(surroundings, configuration, state)
    assert (last.state.error, last.state.error_since) == ("", None)
    assert last.state.moved is None


def test_the_moment_of_a_change_is_noted() -> None:
    """What a stream has when it is seen first has not just changed."""
    first = note(StreamState(name="s"), "a", now=1.0)
    assert (first.moved, first.seen) == (None, 1.0)
    same = note(first, "a", now=2.0)
    assert (same.moved, same.seen) == (None, 2.0)
    assert note(same, "b", now=3.0).moved == 3.0


async def test_another_stream_is_mirrored_but_for_what_is_built_here(
    places: Places, surroundings: Surroundings
) -> None:
    """Only what differs is copied; excluded tags and those that vanished there stay."""
    shared = await push(places, THEIRS, "etcd", "etcd of OCP")
    await push(places, THEIRS, "installer", "installer of OCP")
    own = await push(places, OURS, "installer", "installer of OKD")
    left = await push(places, OURS, "gone-there", "x")
    configuration = watching(repository=OURS, mirror_from=THEIRS, mirror_exclude=("installer",))
    planned = await plan_mirror(surroundings, configuration)
    assert [image.tag for image in planned] == ["etcd"]
    report = await mirror(surroundings, configuration, planned)
    assert not report.failed
    ours = await read_input(surroundings, watching(repository=OURS))
    digests = {image.tag: image.digest for image in ours.images}
    assert digests == {"etcd": shared, "installer": own, "gone-there": left}
    assert await plan_mirror(surroundings, configuration) == ()
    assert await plan_mirror(surroundings, watching(repository=OURS)) == ()
    with pytest.raises(InputError, match="watches no repository"):
        await plan_mirror(surroundings, watching(file="x", mirror_from=THEIRS))


async def test_an_image_stream_is_mirrored_into_another(surroundings: Surroundings) -> None:
    """By the registry behind it, as ocp/4.20 into okd/scos-4.20; what is built here stays."""
    simulated = SimulatedCluster()
    serve_openshift(simulated)
    streams, registries = ImageStreams(simulated), {}
    for namespace, name in (("ocp", "4.20"), ("okd", "scos-4.20")):
        streams.add(namespace, name)
        place = streams.repository(namespace, name)
        content = MemoryRepository(place)
        registries[place] = StreamRegistry(content, streams, namespace=namespace, stream=name)
    theirs, ours = registries.values()

    async def open_registry(location: Location) -> Repository:
        return registries[location.repository]

    inside = msgspec.structs.replace(
        surroundings,
        cluster=MemoryCluster("okd", cluster=simulated),
        open_location=open_registry,
        open_target=open_registry,
    )
    shared = (await push_image(theirs, tag="etcd", layers=[b"etcd"])).digest
    await push_image(theirs, tag="installer", layers=[b"of OCP"])
    own = (await push_image(ours, tag="installer", layers=[b"of OKD"])).digest
    configuration = watching(
        image_stream="okd/scos-4.20", mirror_from="ocp/4.20", mirror_exclude=("installer",)
    )
    planned = await plan_mirror(inside, configuration)
    assert [image.tag for image in planned] == ["etcd"]
    assert not (await mirror(inside, configuration, planned)).failed
    found = await read_input(inside, configuration)
    assert {image.tag: image.digest for image in found.images} == {
        "etcd": shared,
        "installer": own,
    }
    assert await plan_mirror(inside, configuration) == ()
