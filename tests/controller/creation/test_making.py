# SPDX-License-Identifier: Apache-2.0
"""A payload is made of what was frozen, the same every time, and only when it is sound."""

from __future__ import annotations

import pytest
from rig import CONTENT, INPUT, RELEASES, STREAM, Rig

from okd_payload.controller.creation.keeping import kept_tag
from okd_payload.controller.creation.making import MadePayload, make_payload
from okd_payload.controller.creation.naming import name_release
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Release
from okd_payload.errors import NotFound, PartlyDone, ReleaseError
from okd_payload.release.load import load_release
from okd_payload.testing.small_stream import OPERATOR_FILES, push_small_stream

NOW = 1_700_000_000.0
NAME = f"{STREAM}-2023-11-14-221320"


async def make(rig: Rig, **fields: object) -> MadePayload:
    """The payload of what the input is now."""
    configuration = rig.configure(**fields)
    images = await read_input(rig.surroundings, configuration)
    release = Release(
        name=NAME, stream=STREAM, created=NOW, changed=NOW, input_hash=images.input_hash
    )
    return await make_payload(rig.surroundings, configuration, release, images.images)


async def test_a_payload_names_images_where_they_are_kept(rig: Rig) -> None:
    """Each image is in the content repository, held by a tag of its own, and told of."""
    digests = await push_small_stream(rig.repository(INPUT))
    made = await make(rig)
    assert made.pull_spec == f"{RELEASES}@{made.digest}"
    release = await load_release(rig.repository(RELEASES), NAME)
    assert (release.digest, release.name) == (made.digest, NAME)
    named = {tag.name: tag.origin.name for tag in release.tags if tag.origin}
    assert named == {tag: f"{CONTENT}@{digest}" for tag, digest in digests.items()}
    held = await rig.repository(CONTENT).manifests.tags()
    assert held == sorted(kept_tag(digest) for digest in digests.values())
    assert {image.source for image in made.images} == {
        f"https://github.com/example/{tag}" for tag in digests
    }
    assert all(len(image.commit) == 40 for image in made.images)


async def test_what_was_frozen_outlives_the_input(rig: Rig) -> None:
    """The input may move on and be emptied: the release can still be made, with its digest."""
    await push_small_stream(rig.repository(INPUT))
    first = await make(rig)
    del rig.repositories[INPUT]
    release = Release(name=NAME, stream=STREAM, created=NOW, changed=NOW, input_hash="x")
    again = await make_payload(rig.surroundings, rig.streams[STREAM], release, first.images)
    assert again == first


async def test_making_it_twice_gives_the_same(rig: Rig) -> None:
    """Whoever makes a release goes by its record alone; another moment is another payload."""
    await push_small_stream(rig.repository(INPUT))
    first, again = await make(rig), await make(rig)
    assert first == again
    rig.repositories.pop(RELEASES)
    assert await make(rig) == first


async def test_a_payload_that_a_cluster_would_reject_gets_no_tag(rig: Rig) -> None:
    """The reason names the image, and nothing leads to the broken payload."""
    broken = {name: "kind: Nonsense\n" for name in OPERATOR_FILES if name.endswith(".yaml")}
    await push_small_stream(
        rig.repository(INPUT), files=broken | {"manifests/image-references": "{"}
    )
    with pytest.raises(ReleaseError, match="etcd-operator"):
        await make(rig)
    with pytest.raises(NotFound):
        await load_release(rig.repository(RELEASES), NAME)


async def test_an_image_that_is_gone_leaves_the_rest_done(rig: Rig) -> None:
    """What could be kept is kept; the same call goes on when the image is back."""
    digests = await push_small_stream(rig.repository(INPUT))
    configuration = rig.streams[STREAM]
    images = await read_input(rig.surroundings, configuration)
    release = Release(name=NAME, stream=STREAM, created=NOW, changed=NOW, input_hash="x")
    lost = rig.repository(INPUT).manifests
    gone = {digest: lost.images.pop(digest) for digest in [digests["etcd"]]}
    with pytest.raises((PartlyDone, NotFound)):
        await make_payload(rig.surroundings, configuration, release, images.images)
    assert len(await rig.repository(CONTENT).manifests.tags()) == 2
    lost.images.update(gone)
    assert await make_payload(rig.surroundings, configuration, release, images.images)


async def test_layouts_keep_images_under_the_name_that_clusters_will_know(rig: Rig) -> None:
    """Where content is a layout, pull specs name what it will be published as."""
    await push_small_stream(rig.repository(INPUT))
    fields = {"content": "oci:content", "content_name": "quay.test/published/content"}
    made = await make(rig, **fields)
    assert {image.reference.partition("@")[0] for image in made.images} == {
        "quay.test/published/content"
    }
    release = Release(name=NAME, stream=STREAM, created=NOW, changed=NOW, input_hash="x")
    again = await make_payload(rig.surroundings, rig.streams[STREAM], release, made.images)
    assert again == made


def test_names_are_the_stream_and_the_second() -> None:
    """A second that has a release already gives way to the next."""
    taken: set[str] = set()
    for second in ("20", "21", "22"):
        name = name_release(STREAM, NOW, is_taken=taken.__contains__)
        assert name == f"{STREAM}-2023-11-14-2213{second}"
        taken.add(name)


async def test_what_the_payload_says_of_updates_is_kept(rig: Rig) -> None:
    """The graph needs no registry: version, digest and origin come with the payload."""
    await push_small_stream(rig.repository(INPUT))
    made = await make(rig)
    facts = made.facts
    assert (facts.release, facts.version, facts.stream) == (NAME, NAME, STREAM)
    assert (facts.digest, facts.pull_spec) == (made.digest, made.pull_spec)
    assert facts.made_from == STREAM
