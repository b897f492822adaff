# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import io
import stat
import tarfile

import msgspec
import pytest

from okd_payload.errors import DigestMismatch, NotFound, ReleaseError, StorageError
from okd_payload.issues import Issue, Severity
from okd_payload.oci import media_types
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import encode_manifest
from okd_payload.oci.media_types import Family
from okd_payload.release import labels
from okd_payload.release.load import load_release
from okd_payload.release.new.assemble import assemble_release, put_on_base
from okd_payload.release.new.image import write_layer
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.new.publish import publish_release, write_file, write_folder
from okd_payload.testing.images import push_index


async def _publish(world, release, tag="4.20.0"):
    await publish_release(release, world.target, tag=tag, repository_of=world.repository_of)
    return await load_release(world.target, tag)


async def test_published_release_is_read_back(world, manifest):
    """What is stored is a release with the same files, on the layers of its base."""
    base = await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    release = await world.release()
    found = await _publish(world, release)
    assert found.digest == release.digest
    assert found.name == release.name == "4.20.0"
    assert found.content.files == {file.name: file.content for file in release.manifests}
    assert found.references == release.references
    assert [layer.digest for layer in found.content.image.layers[:-1]] == [
        layer.digest for layer in base.image().layers
    ]
    assert found.content.image.config.labels == {
        labels.RELEASE: "4.20.0",
        labels.BASE_DIGEST: base.digest,
    }


async def test_layer_is_an_archive_that_tar_reads(world, manifest):
    """The layer lists the folder, the two files about the release, and the manifests."""
    await world.add_base()
    await world.add("op", {"b.yaml": manifest("b"), "0000_a.yaml": manifest("a")})
    layer = write_layer(await world.payload())
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer.content))) as archive:
        listed = [(info.name, info.mode, info.mtime) for info in archive]
    time = 1_700_000_000
    assert listed == [
        ("release-manifests", 0o777, time),
        ("release-manifests/image-references", 0o444, time),
        ("release-manifests/release-metadata", 0o444, time),
        ("release-manifests/0000_a.yaml", 0o444, time),
        ("release-manifests/0000_50_op_b.yaml", 0o444, time),
    ]


@pytest.mark.parametrize("family", list(Family))
async def test_media_types_stay_in_one_family(world, family):
    """A release on a Docker image is a Docker image, on an OCI image an OCI image."""
    await world.add_base(family=family)
    found = (await _publish(world, await world.release())).content.image
    assert found.manifest.media_type == family.manifest
    assert found.content.config.media_type == family.config
    of_docker = {layer.media_type.startswith("application/vnd.docker") for layer in found.layers}
    assert of_docker == {family is Family.DOCKER}


async def test_base_with_layers_of_the_other_family(world):
    """A Docker base with OCI layers, as oc makes them, becomes a Docker image throughout."""
    base = await world.add_base()
    mixed = tuple(
        msgspec.structs.replace(layer, media_type=media_types.OCI_LAYER)
        for layer in base.image().layers
    )
    wrong = encode_manifest(msgspec.structs.replace(base.image(), layers=mixed))
    await world.repository.manifests.put(wrong)
    world.tags["cluster-version-operator"] = wrong.digest
    release = await world.release()
    types = [layer.media_type for layer in release.image.members[0].manifest.image().layers]
    plain = media_types.DOCKER_LAYER
    assert types == [plain, plain, media_types.DOCKER_LAYER_GZIP]


async def test_every_platform_of_a_base(world):
    """On an index the release is an index: one image a platform, with one layer for all."""
    amd64 = await world.add_base()
    arm64 = await world.add("arm", labels={"x": "y"})
    index = await push_index(world.repository, {"arm64": arm64, "amd64": amd64})
    del world.tags["arm"]
    world.tags["cluster-version-operator"] = index.digest
    release = await assemble_release(
        world.given,
        options=ReleaseOptions(name="4.20.0"),
        repository_of=world.repository_of,
        keep_lists=True,
    )
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    stored = await world.target.manifests.get("x")
    assert [str(member.platform) for member in stored.index().manifests] == [
        "linux/arm64",
        "linux/amd64",
    ]
    bases = [
        (await world.target.manifests.get(member.digest)).image().layers[:-1]
        for member in stored.index().manifests
    ]
    assert bases == [arm64.image().layers, amd64.image().layers]


async def test_without_keeping_lists_the_first_member_counts(world):
    """An index as the base is its first member, and the release is one image."""
    base = await world.add_base()
    index = await push_index(world.repository, {"amd64": base})
    world.tags["cluster-version-operator"] = index.digest
    release = await world.release()
    assert release.image.members[0].base.digest == base.digest
    assert not release.image.manifest.is_index


async def test_publishing_again_sends_nothing_of_the_base(world):
    """What is there stays there; the same call finishes what was interrupted."""
    await world.add_base()
    release = await world.release()
    await _publish(world, release)
    world.repository.operations.clear()
    await _publish(world, release)
    assert [verb for verb, _ in world.repository.operations] == []


async def test_layout_as_target(world, tmp_path):
    """A layout directory takes a release from a repository of another kind."""
    await world.add_base()
    release = await world.release()
    target = LayoutRepository(tmp_path / "releases")
    await publish_release(release, target, tag="4.20.0", repository_of=world.repository_of)
    assert (await load_release(LayoutRepository(tmp_path / "releases"), "4.20.0")).name == "4.20.0"


async def test_damaged_base_is_not_published(world, tmp_path):
    """A layer that is not what its digest says stops the release before its tag."""
    base = await world.add_base()
    release = await world.release()
    digest = base.image().layers[0].digest
    world.repository.blobs.contents[digest] = world.repository.blobs.contents[digest][:-1] + b"x"
    target = LayoutRepository(tmp_path)
    with pytest.raises(DigestMismatch):
        await publish_release(release, target, tag="x", repository_of=world.repository_of)
    assert await target.manifests.tags() == []


async def test_unsound_payloads_are_not_published(world):
    """A blocking issue stops a release at each step."""
    await world.add_base()
    release = await world.release()
    issue = Issue(code="x", severity=Severity.ERROR, message="broken", component="op")
    payload = msgspec.structs.replace(release.payload, issues=(issue,))
    with pytest.raises(ReleaseError, match="op: broken"):
        await put_on_base(payload, "quay.test/x", repository_of=world.repository_of)
    with pytest.raises(ReleaseError, match="op: broken"):
        await _publish(world, msgspec.structs.replace(release, payload=payload))
    with pytest.raises(NotFound):
        await load_release(world.target, "4.20.0")


async def test_folder_and_file(world, manifest, tmp_path):
    """Files keep their times, folders leave out what the cluster would not see."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    payload = await world.payload()
    nested = msgspec.structs.replace(payload.files[-1], name="0000_50_team/a.yaml")
    payload = msgspec.structs.replace(payload, files=(*payload.files, nested))
    write_folder(payload, tmp_path / "new" / "payload")
    written = {path.name: path.stat() for path in (tmp_path / "new" / "payload").iterdir()}
    assert set(written) == {"image-references", "release-metadata", "0000_50_op_a.yaml"}
    assert written["0000_50_op_a.yaml"].st_mtime == 1_700_000_000
    layer = write_layer(payload)
    write_file(payload, layer, tmp_path / "payload.tar.gz")
    status = (tmp_path / "payload.tar.gz").stat()
    assert (tmp_path / "payload.tar.gz").read_bytes() == layer.content
    assert stat.S_IMODE(status.st_mode) == 0o750
    assert status.st_mtime == payload.created.timestamp()


async def test_places_that_cannot_be_written(world, tmp_path):
    """What the disk refuses is an error that names the place."""
    await world.add_base()
    payload = await world.payload()
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file/x"):
        write_folder(payload, tmp_path / "file" / "x")
    with pytest.raises(StorageError, match="file/y"):
        write_file(payload, write_layer(payload), tmp_path / "file" / "y")


async def test_a_folder_gets_all_files_or_none(world, manifest, small_disk, tmp_path):
    """A payload of which a part is missing would be taken for another payload."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a"), "z.yaml": manifest("z", text="x" * 10_000)})
    payload = await world.payload()
    with small_disk(5_000), pytest.raises(StorageError, match=r"cannot write .*z\.yaml"):
        write_folder(payload, tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == []
    write_folder(payload, tmp_path / "folder")
    assert len(list((tmp_path / "folder").iterdir())) == 4
