# SPDX-License-Identifier: Apache-2.0
"""A tag of ours goes, and nothing that anybody else holds ever does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.retention.removing import Removed, remove_tag
from okd_payload.errors import NotFound, RegistryRefused
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of
from okd_payload.oci.manifest import Index, Manifest, read_manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.repository import stat_manifest
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository


class Registry:
    """A repository that removes manifests only, or nothing, or everything that is asked for."""

    def __init__(self, repository: MemoryRepository, *, tags: bool, whole: bool) -> None:
        self.name = repository.name
        self.blobs = repository.blobs
        self.manifests = _Manifests(repository, tags=tags, whole=whole)


class _Manifests:
    def __init__(self, repository: MemoryRepository, *, tags: bool, whole: bool) -> None:
        self._manifests = repository.manifests
        self._tags = tags
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manifests, name)

    async def untag(self, tag: str) -> None:
        """Refused where there are no tags without manifests."""
        if not self._tags:
            raise RegistryRefused("unsupported")
        await self._manifests.untag(tag)

    async def delete(self, digest: Digest) -> None:
        """Refused where deleting is switched off."""
        if not self._whole:
            raise RegistryRefused("method not allowed")
        await self._manifests.delete(digest)


async def three_images(repository: MemoryRepository) -> list[Manifest]:
    """Three images without any tag."""
    return [await push_image(repository, layers=[bytes([number])]) for number in range(3)]


async def tag_index(repository: MemoryRepository, tag: str, members: list[Manifest]) -> None:
    """Tag an index of ``members``."""
    index = Index(
        manifests=tuple(each.descriptor for each in members), media_type=media_types.OCI_INDEX
    )
    content = msgspec.json.encode(index)
    await repository.manifests.put(
        read_manifest(content, media_type=media_types.OCI_INDEX), tag=tag
    )


HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.just("tag"), st.sampled_from(["4.20", "mine", "latest"]), st.integers(0, 2)),
        st.tuples(st.just("keep"), st.just(""), st.integers(0, 2)),
        st.tuples(st.just("index"), st.sampled_from(["list", "both"]), st.integers(0, 2)),
        st.tuples(st.just("remove"), st.just(""), st.integers(0, 2)),
    ),
    max_size=14,
)


@given(history=HISTORIES, tags=st.booleans(), whole=st.booleans())
async def test_no_tag_of_others_ever_loses_what_it_leads_to(
    *, history: list[tuple[str, str, int]], tags: bool, whole: bool
) -> None:
    """Whatever people tag, whatever a registry can remove, in any order."""
    memory = MemoryRepository()
    repository = Registry(memory, tags=tags, whole=whole)
    images = await three_images(memory)
    theirs: dict[str, Digest] = {}
    for what, name, number in history:
        image = images[number]
        if image.digest not in memory.manifests.images:
            continue
        if what == "tag":
            await memory.manifests.put(image, tag=name)
            theirs[name] = image.digest
        elif what == "keep":
            await memory.manifests.put(image, tag=f"kept-{number}")
        elif what == "index":
            await tag_index(memory, name, [image])
            theirs[name] = memory.manifests.tagged[name]
        else:
            held = image.digest in await all_led_to(memory, f"kept-{number}")
            outcome = await remove_tag(repository, f"kept-{number}", image.digest)
            if outcome is Removed.GONE:
                assert await stat_manifest(memory.manifests, f"kept-{number}") is None
            if not tags and held and whole:
                assert outcome is not Removed.REFUSED
        await check(memory, theirs)


async def check(repository: MemoryRepository, theirs: dict[str, Digest]) -> None:
    """Every tag of theirs leads to what it led to, and to all of it."""
    for tag, digest in theirs.items():
        found = await repository.manifests.get(tag)
        assert found.digest == digest
        for member in found.index().manifests if found.is_index else ():
            await repository.manifests.get(member.digest)


async def all_led_to(repository: MemoryRepository, without: str) -> set[Digest]:
    """What the tags but one lead to."""
    return {digest for tag, digest in repository.manifests.tagged.items() if tag != without}


@pytest.mark.parametrize(
    ("tags", "whole", "shared", "outcome", "image_stays"),
    [
        (True, False, True, Removed.GONE, True),
        (True, True, False, Removed.GONE, True),
        (False, True, False, Removed.GONE, False),
        (False, True, True, Removed.NEEDED, True),
        (False, False, False, Removed.REFUSED, True),
    ],
)
async def test_what_a_repository_can_do_decides_how_a_tag_goes(
    *, tags: bool, whole: bool, shared: bool, outcome: Removed, image_stays: bool
) -> None:
    """Alone where that is possible; with its manifest only when nobody else holds it."""
    memory = MemoryRepository()
    image = await push_image(memory, tag="kept-1", layers=[b"x"])
    if shared:
        await tag_index(memory, "list", [image])
    repository = Registry(memory, tags=tags, whole=whole)
    assert await remove_tag(repository, "kept-1", image.digest) is outcome
    assert (image.digest in memory.manifests.images) == image_stays
    assert ("kept-1" in memory.manifests.tagged) == (outcome is not Removed.GONE)


async def test_a_tag_that_leads_elsewhere_is_ours_no_more() -> None:
    """And one that is not there is no trouble."""
    memory = MemoryRepository()
    one, two, _ = await three_images(memory)
    await memory.manifests.put(two, tag="kept-1")
    assert await remove_tag(memory, "kept-1", one.digest) is Removed.NEEDED
    assert memory.manifests.tagged == {"kept-1": two.digest}
    assert await remove_tag(memory, "kept-9", one.digest) is Removed.GONE


@pytest.mark.integration
async def test_a_real_registry_lets_go_of_what_nobody_else_holds(docker_registry: str) -> None:
    """docker-registry removes manifests by digest, with all their tags, where it is set up so."""
    settings = RegistrySettings(plain_http_hosts=frozenset({docker_registry}))
    async with RegistryClient(settings) as client:
        repository = client.repository(parse_reference(f"{docker_registry}/retention/content"))
        image = await push_image(repository, tag="kept-1", layers=[b"shared"])
        await repository.manifests.put(image, tag="theirs")
        first = await remove_tag(repository, "kept-1", image.digest)
        assert first in (Removed.NEEDED, Removed.GONE, Removed.REFUSED)
        assert (await repository.manifests.get("theirs")).digest == image.digest
        other = await push_image(repository, tag="kept-2", layers=[b"alone"])
        outcome = await remove_tag(repository, "kept-2", other.digest)
        there = "kept-2" in await repository.manifests.tags()
        assert there == (outcome is Removed.REFUSED)
        with pytest.raises(NotFound):
            await repository.manifests.delete(digest_of(b"nothing"))
