# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from okd_payload.errors import InputError, ReleaseError
from okd_payload.issues import Permit
from okd_payload.release import codes, labels
from okd_payload.release.inputs import ReleaseInput, exclude, make_input, override, pull_spec_tag
from okd_payload.release.new.assemble import assemble_payload, find_base, permit, require_sound
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.versions import ComponentVersion
from okd_payload.testing.images import CREATED


def _codes(payload):
    return sorted((issue.code, issue.component) for issue in payload.issues)


def _texts(payload):
    return {file.name: file.content.decode() for file in payload.files}


async def test_a_small_release(world, manifest, listing):
    """Operators' manifests are named and rewritten, and what nobody needs is left out."""
    await world.add_base()
    await world.add("etcd", labels={labels.VERSIONS: "kubernetes=1.33.5"})
    await world.add("unused")
    text = manifest("a", image="r/etcd:v1", own="0.0.1-snapshot", kube="0.0.1-snapshot-kubernetes")
    await world.add("etcd-operator", {"a.yaml": text, "image-references": listing(etcd="r/etcd")})
    payload = await world.payload(previous=("4.19.0",))
    assert payload.issues == ()
    assert [tag.name for tag in payload.tags] == [
        "cluster-version-operator",
        "etcd",
        "etcd-operator",
    ]
    assert list(_texts(payload)) == [
        "image-references",
        "release-metadata",
        "0000_50_etcd-operator_a.yaml",
    ]
    pull_spec = f"quay.test/okd/content@{world.tags['etcd']}"
    expected = manifest("a", image=pull_spec, own="4.20.0", kube="1.33.5")
    assert _texts(payload)["0000_50_etcd-operator_a.yaml"] == expected
    assert payload.metadata.previous == ("4.19.0",)


async def test_time_comes_from_the_inputs(world, manifest):
    """A release counts as created when the newest of its parts was, and is named after that."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    payload = await world.payload(name="")
    assert payload.created == datetime.fromisoformat(CREATED)
    assert payload.name == "0.0.1-2025-01-02-030405"
    later = datetime(2026, 1, 1, tzinfo=UTC)
    assert (await world.payload(created=later)).created == later


async def test_everything_wrong_is_told_at_once(world, manifest, listing):
    """Images, labels, operands, versions and manifests: no mistake hides another."""
    await world.add_base()
    world.tags["gone"] = "sha256:" + "0" * 64
    await world.add("labels", labels={labels.VERSIONS: "kubernetes=1,etcd=3.5.0"})
    await world.add("dns")
    await world.add(
        "one",
        {
            "a.yaml": manifest("a", v="0.0.1-snapshot-nope"),
            "b.yaml": "just text",
            "c.yaml": manifest("c") + "---\n- a list\n---\nkind: [broken\n",
            "image-references": listing(dsn="r/dns"),
        },
    )
    await world.add("two", {"image-references": ""})
    payload = await world.payload()
    assert _codes(payload) == [
        (codes.INVALID_MANIFEST.code, "one"),
        (codes.INVALID_MANIFEST.code, "one"),
        (codes.INVALID_MANIFEST.code, "one"),
        (codes.INVALID_OPERATOR_REFERENCES.code, "two"),
        (codes.INVALID_VERSION_LABEL.code, "labels"),
        (codes.MISSING_IMAGE.code, "gone"),
        (codes.MISSING_OPERAND.code, "one"),
        (codes.UNKNOWN_VERSION_KEY.code, "labels"),
        (codes.UNKNOWN_VERSION_REFERENCE.code, "one"),
    ]
    missing = next(issue for issue in payload.issues if issue.code == codes.MISSING_OPERAND.code)
    assert (missing.file, missing.hint) == ("image-references", "did you mean dns?")
    places = [
        (issue.file, issue.line)
        for issue in payload.issues
        if issue.code == codes.INVALID_MANIFEST.code
    ]
    assert places == [("b.yaml", 1), ("c.yaml", 9), ("c.yaml", 12)]
    with pytest.raises(ReleaseError, match="and 8 more errors"):
        require_sound(payload)


async def test_unlabelled_operators_are_told(world, manifest):
    """An image with manifests and without the label is told of; an operand and the base are not."""
    await world.add_base()
    await world.add("operand")
    await world.add("forgotten", {"a.yaml": manifest("a")}, labels={labels.OPERATOR: ""})
    payload = await world.payload()
    assert _codes(payload) == [(codes.UNLABELLED_OPERATOR.code, "forgotten")]
    assert payload.is_sound


async def test_operators_without_manifests_are_told(world):
    """The label alone brings nothing into the payload, and neither do lower layers."""
    await world.add_base()
    await world.add("op", {}, below={"manifests/a.yaml": "x"})
    assert _codes(await world.payload()) == [(codes.OPERATOR_WITHOUT_MANIFESTS.code, "op")]


async def test_missing_operands_can_be_allowed(world, listing):
    """What is allowed stays visible and no longer blocks; so does what a stream permits."""
    await world.add_base()
    await world.add("op", {"image-references": listing(nope="r/x")})
    allowed = await world.payload(allow_missing_images=True)
    assert allowed.is_sound
    assert allowed.issues[0].permitted
    refused = await world.payload()
    assert not refused.is_sound
    assert permit(refused, [Permit(code="missing-operand", reason="later")]).is_sound


async def test_boolean_tag_names_are_explained(world, listing):
    """YAML reads a plain y as a boolean, and the hint says so."""
    await world.add_base()
    await world.add("op", {"image-references": listing(y="r/y")})
    assert "quote" in (await world.payload()).issues[0].hint


async def test_conflicting_versions(world, listing):
    """Images of one operator that disagree about a component are told."""
    await world.add_base()
    await world.add("a", labels={labels.VERSIONS: "kubernetes=1.0.0"})
    await world.add("b", labels={labels.VERSIONS: "kubernetes=1.0.1"})
    await world.add("op", {"image-references": listing(a="r/a", b="r/b")})
    assert _codes(await world.payload()) == [(codes.CONFLICTING_VERSIONS.code, "op")]


async def test_component_versions_of_the_user(world, manifest):
    """Versions that the user gives can be named by every operator, and are written down."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a", v="0.0.1-snapshot-crio")})
    payload = await world.payload(component_versions={"crio": ComponentVersion("1.2.3", "CRI-O")})
    assert "v: 1.2.3" in _texts(payload)["0000_50_op_a.yaml"]
    assert payload.references.metadata.annotations == {
        labels.VERSIONS: "crio=1.2.3",
        labels.DISPLAY_NAMES: "crio=CRI-O",
    }


async def test_more_version_keys(world):
    """Other components may be allowed to have versions."""
    await world.add_base()
    await world.add("etcd", labels={labels.VERSIONS: "etcd=3.5.0"})
    assert (await world.payload(version_keys=frozenset({"etcd"}))).issues == ()


async def test_places_where_nobody_looks(world, manifest):
    """A manifest that gets into a sub-folder is told of."""
    await world.add_base()
    image = await world.add("op", {"a.yaml": manifest("a"), "0000_b.yaml": manifest("b")})
    given = override(world.given, {"team/op": f"quay.test/okd/content@{image.digest}"})
    payload = await assemble_payload(
        exclude(given, {"op"}),
        options=ReleaseOptions(name="1.0.0"),
        repository_of=world.repository_of,
    )
    assert _codes(payload) == [(codes.UNREACHABLE_MANIFEST.code, "team/op")]


async def test_overridden_images_are_searched_whole(world, manifest):
    """An image named by hand brings the manifests of all its layers, and is marked."""
    await world.add_base()
    image = await world.add("op", {"b.yaml": manifest("b")}, below={"manifests/a.yaml": "kind: x"})
    given = override(world.given, {"op": f"quay.test/okd/content@{image.digest}"})
    payload = await assemble_payload(
        given,
        options=ReleaseOptions(name="1.0.0", check_manifests=False),
        repository_of=world.repository_of,
    )
    assert list(_texts(payload))[2:] == ["0000_50_op_a.yaml", "0000_50_op_b.yaml"]
    assert payload.tags[1].annotations[labels.OVERRIDE] == "true"


async def test_nothing_to_make_a_release_of(world):
    """Without tags there is no payload, without the base tag no image."""
    with pytest.raises(ReleaseError, match="no component images defined"):
        await world.payload()
    with pytest.raises(ReleaseError, match="could not be found in the input"):
        find_base(ReleaseInput(), ReleaseOptions())


async def test_versions_must_be_versions(world):
    """A name or an edge that is no version is refused."""
    await world.add_base()
    with pytest.raises(InputError):
        await world.payload(name="latest")
    with pytest.raises(InputError):
        await world.payload(previous=("4.19.x",))


async def test_damaged_images_are_told(world, manifest):
    """A layer whose bytes are not what they should be is an issue of its image."""
    await world.add_base()
    image = await world.add("op", {"a.yaml": manifest("a")})
    layer = image.image().layers[-1]
    contents = world.repository.blobs.contents
    contents[layer.digest] = contents[layer.digest].replace(b"ConfigMap", b"ConfigMop")
    assert _codes(await world.payload()) == [(codes.UNREADABLE_IMAGE.code, "op")]


async def test_pull_specs_that_are_none(world):
    """A pull spec that cannot be parsed is an issue of its tag."""
    await world.add_base()
    tags = [*world.given.tags, pull_spec_tag("odd", "Not/A:Reference:")]
    payload = await assemble_payload(
        make_input(tags), options=ReleaseOptions(name="1.0.0"), repository_of=world.repository_of
    )
    assert _codes(payload) == [(codes.INVALID_PULL_SPEC.code, "odd")]


async def test_read_once(world, manifest):
    """Of each image the manifest and the configuration are read once, and one layer at most."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    world.repository.operations.clear()
    await world.payload()
    counted = list(world.repository.operations)
    assert len(counted) == len(set(counted))
    assert sum(verb == "read" for verb, _ in counted) == 3


async def test_equal_inputs_equal_bytes(world, manifest):
    """The same components give the same release, whoever makes it and when."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a"), "b.txt": "0.0.1-snapshot"})
    first, second = await world.release(), await world.release()
    assert first.digest == second.digest
    other = await world.release(name="4.20.1")
    assert other.digest != first.digest
