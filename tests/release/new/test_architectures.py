# SPDX-License-Identifier: Apache-2.0
"""Whether the images of a release agree about the machines that it is for."""

from __future__ import annotations

import msgspec
import pytest

from okd_payload.oci.manifest import Index, Platform, encode_manifest
from okd_payload.oci.media_types import Family
from okd_payload.progress import Noticed, ignore_progress
from okd_payload.release.labels import ARCHITECTURE, OPERATOR
from okd_payload.release.new.assemble import find_base, put_on_base, read_parts
from okd_payload.release.new.payload import ReleaseOptions, make_payload
from okd_payload.release.new.publish import publish_release
from okd_payload.release.new.request import NewRequest, is_repetition, make, prepare
from okd_payload.testing.images import push_image, push_index

BOTH = ("amd64", "arm64")


@pytest.fixture
def add(world, layer_of):
    """Adds a list of images, one for each architecture, with manifests or without."""

    async def add_list(name, members, *, family=Family.OCI, labels=None):
        pushed = {}
        for architecture, manifests in members.items():
            layers = [layer_of({f"usr/bin/{name}": architecture})]
            given = {"of": architecture, **(labels or {})}
            if manifests is not None:
                layers.append(
                    layer_of({f"manifests/{key}": text for key, text in manifests.items()})
                )
                given[OPERATOR] = "true"
            pushed[architecture] = await push_image(
                world.repository,
                layers=layers,
                labels=given,
                architecture=architecture,
                family=family,
            )
        index = await push_index(world.repository, pushed, tag=name, family=family)
        world.tags[name] = index.digest
        return index

    return add_list


@pytest.fixture
def make_all(world):
    """Makes the payload of everything, and gives the progress events too."""

    async def make_payload_of_all(*, keep_lists=True, base="", **options):
        events = []
        chosen = ReleaseOptions(name="4.20.0", **options)
        parts = await read_parts(
            world.given,
            options=chosen,
            repository_of=world.repository_of,
            base=base,
            keep_lists=keep_lists,
            progress=events.append,
        )
        return make_payload(parts, chosen), events

    return make_payload_of_all


def told(payload):
    """Codes, components and messages of what was found."""
    return [(issue.code, issue.component, issue.message) for issue in payload.issues]


async def base_and(add, **operators):
    """A base for both architectures, and operators."""
    await add("cluster-version-operator", dict.fromkeys(BOTH))
    for name, members in operators.items():
        await add(name, members)


async def test_equal_manifests_are_no_issue(add, make_all, manifest):
    """Lists whose members bring the same are what a release for several machines needs."""
    await base_and(add, op={key: {"a.yaml": manifest("a")} for key in BOTH})
    payload, _ = await make_all()
    assert told(payload) == []
    assert payload.metadata.metadata == {ARCHITECTURE: "multi"}


async def test_different_manifests_are_told_by_file_and_architecture(add, make_all, manifest):
    """Other content, an absent file, an additional one: each with the platforms it is about."""
    members = {
        "arm64": {"a.yaml": manifest("b"), "c.yaml": manifest("c"), "sub/x.yaml": "x"},
        "amd64": {"a.yaml": manifest("a"), "b.yaml": manifest("b")},
        "s390x": None,
    }
    await base_and(add, op=members)
    payload, _ = await make_all()
    words = "is not that of {}, which gets it all the same"
    assert told(payload) == [
        (
            "architectures-differ",
            "op",
            "a.yaml of amd64 " + words.format("linux/arm64, linux/s390x"),
        ),
        (
            "architectures-differ",
            "op",
            "b.yaml of amd64 " + words.format("linux/arm64, linux/s390x"),
        ),
        ("architectures-differ", "op", "c.yaml of amd64 " + words.format("linux/arm64")),
    ]
    assert [file.name for file in payload.files[2:]] == ["0000_50_op_a.yaml", "0000_50_op_b.yaml"]


async def test_missing_architectures_are_told(add, make_all, world, manifest):
    """Every image of the release must exist for every machine that the base is for."""
    await base_and(add, op={"amd64": {"a.yaml": manifest("a")}})
    await world.add("other", {"b.yaml": manifest("b")})
    await world.add("unused")
    payload, _ = await make_all()
    assert told(payload) == [
        (
            "missing-architecture",
            name,
            "there is no image for arm64, which the release is for, but only for amd64",
        )
        for name in ("op", "other")
    ]


async def test_a_single_release_wants_one_architecture(add, make_all, world, manifest):
    """An image for another machine than the base is told; a list that has it is not."""
    await world.add_base()
    await add("fits", {"s390x": {"a.yaml": manifest("a")}, "amd64": {"a.yaml": manifest("x")}})
    await add("other", {"arm64": {"b.yaml": manifest("b")}})
    payload, _ = await make_all(keep_lists=False)
    assert [(code, component) for code, component, _ in told(payload)] == [
        ("missing-architecture", "other")
    ]
    assert payload.metadata.metadata == {}


async def test_a_part_of_a_release_for_several(add, make_all, world, manifest):
    """With a base for one machine, members for others count only if the metadata says multi."""
    await world.add_base()
    await add("op", {arch: {"a.yaml": manifest(arch)} for arch in BOTH})
    assert told((await make_all())[0]) == []
    payload, _ = await make_all(metadata={ARCHITECTURE: "multi"})
    assert [code for code, _, _ in told(payload)] == ["architectures-differ"]


async def test_what_was_said_about_the_architecture_stays(add, make_all):
    """Whoever gives the key decides; a list with one machine is for one machine."""
    await base_and(add)
    payload, _ = await make_all(metadata={ARCHITECTURE: "own", "url": "x"})
    assert payload.metadata.metadata == {ARCHITECTURE: "own", "url": "x"}
    await add("cluster-version-operator", {"arm64": None})
    assert (await make_all())[0].metadata.metadata == {}


async def test_without_amd64_the_first_member_speaks(add, make_all, manifest):
    """A list without linux/amd64 is used, and it is said whose manifests count."""
    await add("cluster-version-operator", dict.fromkeys(("s390x", "arm64")))
    await add("op", {arch: {"a.yaml": manifest(arch)} for arch in ("arm64", "s390x")})
    payload, events = await make_all()
    assert b"name: arm64" in payload.files[2].content
    told = "The list op has no linux/amd64; its image for arm64 speaks for it"
    assert Noticed(subject="", message=told) in events


async def test_a_base_of_its_own(add, make_all, world, manifest):
    """The architectures are those of the base that is used, wherever it is."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    index = await add("elsewhere", dict.fromkeys(BOTH))
    world.tags.pop("elsewhere")
    payload, _ = await make_all(base=f"quay.test/okd/content@{index.digest}")
    assert [component for _, component, _ in told(payload)] == ["cluster-version-operator", "op"]
    assert payload.metadata.metadata == {ARCHITECTURE: "multi"}


async def test_unknown_platforms_are_not_guessed(add, make_all, world, manifest):
    """Members that do not say what they are for are no reason to complain."""
    await world.add_base()
    image = await world.add("op", {"a.yaml": manifest("a")})
    index = encode_manifest(Index(media_type=Family.OCI.index, manifests=(image.descriptor,)))
    await world.repository.manifests.put(index, tag="op")
    world.tags["op"] = index.digest
    assert told((await make_all())[0]) == []


@pytest.mark.parametrize("family", list(Family))
async def test_the_index_of_a_release(add, world, family):
    """It has a member for each of the base's, attestations left out, of one family of types."""
    index = await add("cluster-version-operator", dict.fromkeys(BOTH), family=family)
    attestation = await push_image(world.repository, layers=[b"{}"], family=family)
    members = (
        *index.index().manifests,
        msgspec.structs.replace(
            attestation.descriptor, platform=Platform(architecture="unknown", os="unknown")
        ),
    )
    listed = encode_manifest(Index(media_type=family.index, manifests=members))
    await world.repository.manifests.put(listed, tag="cluster-version-operator")
    world.tags["cluster-version-operator"] = listed.digest
    options = ReleaseOptions(name="4.20.0")
    parts = await read_parts(
        world.given, options=options, repository_of=world.repository_of, keep_lists=True
    )
    release = await put_on_base(
        make_payload(parts, options),
        find_base(world.given, options),
        repository_of=world.repository_of,
        keep_lists=True,
    )
    await publish_release(release, world.target, tag="r", repository_of=world.repository_of)
    stored = await world.target.manifests.get("r")
    assert (stored.media_type, stored.digest) == (family.index, release.digest)
    for member, before in zip(stored.index().manifests, index.index().manifests, strict=True):
        manifest = await world.target.manifests.get(member.digest)
        assert member == msgspec.structs.replace(manifest.descriptor, platform=before.platform)
        assert manifest.media_type == family.manifest


async def test_overrides_are_compared_whole(add, make_all, world, layer_of, manifest):
    """An image named by hand is searched whole, and so are its relatives."""
    await base_and(add)
    pushed = {
        arch: await push_image(
            world.repository,
            layers=[layer_of({"manifests/a.yaml": manifest(arch)}), layer_of({"x": "x"})],
            labels={OPERATOR: "true"},
            architecture=arch,
        )
        for arch in BOTH
    }
    index = await push_index(world.repository, pushed, tag="op")
    world.tags["op"] = index.digest
    given = world.given
    tags = [
        msgspec.structs.replace(tag, annotations={"io.openshift.release.override": "true"})
        if tag.name == "op"
        else tag
        for tag in given.tags
    ]
    parts = await read_parts(
        msgspec.structs.replace(given, tags=tuple(tags)),
        options=ReleaseOptions(name="4.20.0"),
        repository_of=world.repository_of,
        keep_lists=True,
    )
    assert [issue.code for issue in parts.images["op"].issues] == ["architectures-differ"]


async def test_a_release_for_several_is_made_again(add, world, manifest):
    """Each member notes the base's member; the list with it is the base, and nothing is stacked."""
    await base_and(add, op={key: {"a.yaml": manifest("a")} for key in BOTH})
    options = ReleaseOptions(name="4.20.0")
    parts = await read_parts(
        world.given, options=options, repository_of=world.repository_of, keep_lists=True
    )
    base = find_base(world.given, options)
    made = await put_on_base(
        make_payload(parts, options), base, repository_of=world.repository_of, keep_lists=True
    )
    await publish_release(made, world.target, tag="r", repository_of=world.repository_of)

    async def open_location(_):
        return world.target

    request = NewRequest(release=f"{world.target.name}:r", keep_lists=True)
    prepared = await prepare(
        request,
        open_location=open_location,
        repository_of=world.repository_of,
        progress=ignore_progress,
    )
    assert (prepared.base, prepared.options.base_tag) == ("", "cluster-version-operator")
    _, payload = await make(
        request, prepared, repository_of=world.repository_of, progress=ignore_progress
    )
    again = await put_on_base(payload, base, repository_of=world.repository_of, keep_lists=True)
    assert is_repetition(prepared.source, again)
    assert again.digest == made.digest
