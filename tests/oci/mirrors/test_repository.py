# SPDX-License-Identifier: Apache-2.0
"""One repository, read in several places."""

from __future__ import annotations

import msgspec
import pytest

from okd_payload.errors import (
    ContentError,
    DigestMismatch,
    NotFound,
    RegistryRefused,
    RegistryUnavailable,
    Unauthorized,
)
from okd_payload.oci.attachments import Attached, open_finder
from okd_payload.oci.blob_sources import BytesSource, RepositorySource
from okd_payload.oci.digest import digest_of
from okd_payload.oci.mirrors.repository import MirroredRegistries
from okd_payload.oci.mirrors.rules import Mirror, MirrorRule, MirrorRules, Pulls
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import stat_manifest
from okd_payload.progress import Noticed
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository


class Broken:
    """A registry that does nothing but fail."""

    def __init__(self, error):
        self.error = error
        self.asked = 0
        self.name = "broken"
        self.blobs = self.manifests = self

    async def get(self, _):
        """Fail."""
        self.asked += 1
        raise self.error

    stat = referrers = get

    async def tags(self):
        """Fail."""
        await self.get("")

    async def read(self, _):
        """Fail at the first step."""
        await self.get("")
        yield b""


class Network:
    """Registries in memory, and a way to read ``source.test`` by its mirrors."""

    def __init__(self):
        self.places = {}

    def open(self, reference):
        """The repository of ``reference``."""
        return self.places.setdefault(reference.repository, MemoryRepository(reference.repository))

    def read(self, *mirrors, blocked=False, registries=None):
        """The repository ``source.test/okd`` with these mirrors."""
        rule = MirrorRule(prefix="source.test", mirrors=mirrors, blocked=blocked)
        registries = registries or MirroredRegistries(MirrorRules(rules=(rule,)), self.open)
        return registries.repository(parse_reference("source.test/okd"))

    async def add(self, name, **options):
        """An image in the repository ``name``."""
        return await push_image(self.open(parse_reference(name)), **options)


@pytest.fixture
def network():
    """Nothing yet."""
    return Network()


def absent(descriptor):
    """A blob that nobody has."""
    return msgspec.structs.replace(descriptor, digest=digest_of(b"nobody"))


async def read_all(repository, descriptor):
    """The whole blob."""
    return b"".join([chunk async for chunk in repository.blobs.read(descriptor)])


async def test_a_mirror_is_asked_first(network):
    """What a mirror has is not asked of the source."""
    image = await network.add("mirror.test/okd")
    repository = network.read(Mirror("mirror.test"))
    assert (await repository.manifests.get(image.digest)).digest == image.digest
    layer = image.image().layers[0]
    assert await read_all(repository, layer) == b"layer"
    assert await repository.blobs.stat(layer.digest) == layer.size
    assert repository.name == "source.test/okd"
    assert network.open(parse_reference("source.test/okd")).operations == []


@pytest.mark.parametrize(
    "error", [NotFound("no"), Unauthorized("no"), RegistryUnavailable("no"), RegistryRefused("no")]
)
async def test_whatever_a_mirror_refuses_the_next_place_is_asked(error, network):
    """An absent, private, unreachable or odd mirror does not keep anybody from reading."""
    network.places["mirror.test/okd"] = Broken(error)
    image = await network.add("source.test/okd", tag="v1")
    repository = network.read(Mirror("mirror.test"))
    layer = image.image().layers[0]
    assert (await repository.manifests.get(image.digest)).digest == image.digest
    assert await read_all(repository, layer) == b"layer"
    assert await repository.blobs.stat(layer.digest) == layer.size
    assert await repository.manifests.tags() == ["v1"]
    assert await repository.manifests.referrers(image.digest) == []


async def test_wrong_content_of_a_mirror_is_an_error(network):
    """A mirror that lies is told, not passed over."""
    image = await network.add("mirror.test/okd")
    mirror = network.places["mirror.test/okd"]
    layer = image.image().layers[0]
    mirror.blobs.contents[layer.digest] = b"wrong"
    with pytest.raises(DigestMismatch):
        await read_all(network.read(Mirror("mirror.test")), layer)
    network.places["mirror.test/okd"] = Broken(ContentError("damaged"))
    with pytest.raises(ContentError, match="damaged"):
        await network.read(Mirror("mirror.test")).manifests.get(image.digest)


async def test_the_place_that_works_is_asked_first_next_time(network):
    """After one detour the others save it."""
    network.places["mirror.test/okd"] = broken = Broken(NotFound("no"))
    image = await network.add("source.test/okd")
    repository = network.read(Mirror("mirror.test"))
    for _ in range(3):
        await repository.manifests.get(image.digest)
    assert broken.asked == 1
    assert repository.working.name == "source.test/okd"


async def test_a_silent_host_is_asked_last_by_all(network):
    """A dead mirror costs its patience once, not once per repository."""
    rule = MirrorRule(prefix="source.test", mirrors=(Mirror("mirror.test"),))
    registries = MirroredRegistries(MirrorRules(rules=(rule,)), network.open)
    silent = [Broken(RegistryUnavailable("no")) for _ in range(2)]
    for name, broken in zip(("okd", "other"), silent, strict=True):
        network.places[f"mirror.test/{name}"] = broken
        image = await network.add(f"source.test/{name}")
        repository = registries.repository(parse_reference(f"source.test/{name}"))
        await repository.manifests.get(image.digest)
    assert [broken.asked for broken in silent] == [1, 0]


async def test_it_is_said_where_is_read(network):
    """Whoever checks a release must see that it was a mirror; once is enough."""
    events = []
    image = await network.add("mirror.test/okd")
    rule = MirrorRule(prefix="source.test", mirrors=(Mirror("mirror.test"),))
    registries = MirroredRegistries(
        MirrorRules(rules=(rule,)), network.open, progress=events.append
    )
    repository = registries.repository(parse_reference("source.test/okd"))
    for _ in range(2):
        await repository.manifests.get(image.digest)
        with pytest.raises(NotFound):
            await repository.manifests.get(digest_of(b"x"))
    told = "Reading mirror.test/okd instead of source.test/okd"
    assert events == [Noticed(subject="", message=told)]


async def test_tags_are_only_asked_of_mirrors_for_tags(network):
    """A mirror for digests may have another image under the same tag."""
    source = await network.add("source.test/okd", tag="v1")
    await network.add("digests.test/okd", tag="v1", layers=[b"old"])
    repository = network.read(Mirror("digests.test", Pulls.BY_DIGEST))
    assert (await repository.manifests.get("v1")).digest == source.digest
    tagged = await network.add("tags.test/okd", tag="v1", layers=[b"new"])
    repository = network.read(Mirror("tags.test", Pulls.BY_TAG))
    assert (await repository.manifests.get("v1")).digest == tagged.digest
    with pytest.raises(NotFound):
        await repository.manifests.get(tagged.digest)


async def test_nothing_is_written_to_a_mirror(network):
    """Writing goes to the source, reading what was written too when no mirror has it."""
    repository = network.read(Mirror("mirror.test"))
    image = await push_image(repository, tag="v1")
    assert network.open(parse_reference("mirror.test/okd")).operations == []
    assert await network.places["source.test/okd"].manifests.tags() == ["v1"]
    assert (await repository.manifests.get(image.digest)).digest == image.digest


async def test_a_blocked_source_is_neither_read_nor_written(network):
    """What the mirror lacks is absent, and nothing can be stored."""
    await network.add("source.test/okd", tag="v1")
    repository = network.read(Mirror("mirror.test", Pulls.BY_DIGEST), blocked=True)
    with pytest.raises(NotFound):
        await repository.manifests.get(digest_of(b"x"))
    with pytest.raises(RegistryRefused, match=r"tags of source\.test/okd may not be asked for"):
        await repository.manifests.get("v1")
    blob = (await network.add("other.test/okd")).image().layers[0]
    with pytest.raises(RegistryRefused, match="block it"):
        await repository.blobs.write(blob, BytesSource(b"layer"))
    with pytest.raises(RegistryRefused):
        await repository.blobs.mount(blob, network.places["other.test/okd"])
    with pytest.raises(RegistryRefused, match="block it"):
        network.read(blocked=True)


async def test_absent_everywhere_is_not_found(network):
    """An image that no place has is absent, and every place is told."""
    with pytest.raises(NotFound, match=r"of 2 places: .*mirror\.test.*; .*source\.test"):
        await network.read(Mirror("mirror.test")).manifests.get(digest_of(b"x"))
    layer = (await network.add("other.test/okd")).image().layers[0]
    with pytest.raises(NotFound):
        await read_all(network.read(Mirror("mirror.test")), layer)
    assert await network.read(Mirror("mirror.test")).blobs.stat(layer.digest) is None


async def test_what_cannot_be_reached_may_have_it(network):
    """Absent here and unreachable there is not absent."""
    network.places["mirror.test/okd"] = Broken(RegistryUnavailable("silent"))
    with pytest.raises(RegistryUnavailable, match="silent"):
        await network.read(Mirror("mirror.test")).manifests.get(digest_of(b"x"))
    network.places["source.test/okd"] = Broken(Unauthorized("private"))
    with pytest.raises(RegistryUnavailable, match=r"silent.*private|private.*silent"):
        await network.read(Mirror("mirror.test")).manifests.tags()


async def test_without_a_rule_nothing_is_between(network):
    """Repositories that no rule is about are opened as they are."""
    registries = MirroredRegistries(MirrorRules(), network.open)
    opened = registries.repository(parse_reference("source.test/okd"))
    assert opened is network.places["source.test/okd"]
    assert network.read(registries=registries) is opened


async def test_attachments_are_found_where_the_image_is(network):
    """Signatures have tags made of digests: mirrors for digests are asked for them, too."""
    image = await network.add("mirror.test/okd")
    tag = f"{image.digest.replace(':', '-')}.sig"
    signature = await network.add("mirror.test/okd", tag=tag, layers=[b"signature"])
    network.places["source.test/okd"] = Broken(RegistryUnavailable("no"))
    for blocked in (True, False):
        repository = network.read(Mirror("mirror.test", Pulls.BY_DIGEST), blocked=blocked)
        finder = open_finder(repository.manifests, expected=1)
        assert (await finder.find(image.digest)).tags == (tag,)
        assert (await finder.find(signature.digest)) == Attached()
        assert (await repository.manifests.get(tag)).digest == signature.digest
        assert await stat_manifest(repository.manifests, tag) == signature.descriptor
    del network.places["source.test/okd"]
    absent_everywhere = network.read(Mirror("other.test"))
    assert await stat_manifest(absent_everywhere.manifests, image.digest) is None


async def test_content_for_copies(network):
    """A copy reads blobs without hashing them twice, where the place can do that."""
    image = await network.add("source.test/okd")
    repository = network.read(Mirror("mirror.test"))
    layer = image.image().layers[0]
    source = RepositorySource(repository, layer, hashed=False)
    assert b"".join([chunk async for chunk in source.open(2)]) == b"yer"
    with pytest.raises(NotFound):
        await anext(network.read(Mirror("a.test")).blobs.stream(absent(layer)))
