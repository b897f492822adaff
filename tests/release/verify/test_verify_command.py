# SPDX-License-Identifier: Apache-2.0
"""The command ``okd-payload release verify`` on the real registry."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil

import pytest

from okd_payload.oci.digest import hex_of
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.release.new.publish import publish_release
from okd_payload.testing.images import push_image, push_index

pytestmark = pytest.mark.integration


@pytest.fixture
def published(docker_registry, world, manifest, listing, run, request, tmp_path):
    """The pull spec of a release in the registry, and the content's repository."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    content = f"{docker_registry}/{name}/content"

    async def fill():
        await world.add_base()
        await world.add("etcd")
        files = {"a.yaml": manifest("a", i="r/etcd"), "image-references": listing(etcd="r/etcd")}
        await world.add("op", files)
        async with RegistryClient() as client:
            target = client.repository(parse_reference(content))
            for tag in world.tags:
                await copy_image(
                    ImageCopy(source=world.repository, reference=tag, destination=target, tag=tag)
                )

    asyncio.run(fill())
    release = f"{docker_registry}/{name}/release:4.20.0"
    code, _, err = run(
        "new", "--from-repository", content, "--name", "4.20.0", "--to-image", release
    )
    assert code == 0, err
    return release, content


@pytest.fixture
def keys(signer, tmp_path):
    """The secret and the public key as files."""
    secret, public = tmp_path / "secret.asc", tmp_path / "public.asc"
    secret.write_bytes(signer.secret_key)
    public.write_bytes(signer.public_key)
    return secret, public


def lose(content, tags, name, *, blobs):
    """Delete an image, or its layers, from the registry as a clean-up would."""
    import aiohttp

    async def delete():
        reference = parse_reference(content)
        async with RegistryClient() as client, aiohttp.ClientSession() as session:
            repository = client.repository(reference)
            image = await repository.manifests.get(tags[name])
            digests = (
                [f"blobs/{layer.digest}" for layer in image.image().layers]
                if blobs
                else [f"manifests/{image.digest}"]
            )
            for digest in digests:
                url = f"http://{reference.host}/v2/{reference.path}/{digest}"
                async with session.delete(url) as answer:
                    assert answer.status == 202

    asyncio.run(delete())


def test_a_whole_signed_release_is_verified(run, published, keys, signer, tmp_path):
    """Signed, stored and verified with nothing but the public key; programs get all of it."""
    release, _ = published
    store = tmp_path / "store"
    assert run("sign", release, "--key", keys[0], "--to-store", store)[0] == 0
    arguments = ("verify", release, "--key", keys[1], "--signature-store", store)
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert "Images:      4 images, 4 manifests, " in out
    assert f"Signatures:  release: {signer.fingerprint}" in out
    assert out.endswith(f"{release}: verified\n")
    code, out, _ = run(*arguments, "-o", "json", "--list-attachments", "--read-blobs")
    printed = json.loads(out)
    assert code == 0
    assert printed["sound"] is True
    assert printed["images"]["images"] == 4
    assert printed["signatures"][0]["keys"] == [signer.fingerprint]
    assert printed["attachments"] == []
    assert printed["issues"] == []


def test_without_keys_signatures_are_not_checked(run, published):
    """The release is whole, and a warning says that nobody vouches for it."""
    code, out, err = run("verify", published[0])
    assert code == 0
    assert "[signatures-not-checked]" in err
    assert "verified" in out


def test_an_unsigned_release_fails_unless_that_is_accepted(run, published, keys):
    """With keys a signature is asked for, in two ways it may be missing."""
    arguments = ("verify", published[0], "--key", keys[1])
    code, out, err = run(*arguments)
    assert code == 1
    assert "[unsigned-release]" in err
    assert "NOT verified" in out
    assert run(*arguments, "--no-require-signature")[0] == 0
    assert run(*arguments, "--permit", "unsigned-release")[0] == 0


def test_a_lost_manifest_is_found(run, published, world):
    """What users would see as `manifest unknown` is an issue with the component's name."""
    release, content = published
    lose(content, world.tags, "etcd", blobs=False)
    code, _, err = run("verify", release)
    assert code == 1
    assert f"etcd: {content}@{world.tags['etcd']} is not there" in err
    assert "[absent-image]" in err


def test_nothing_is_answered_from_what_was_read_before(run, published, world, tmp_path):
    """A cache that knows the whole release does not hide what was deleted since."""
    release, content = published
    cache = ("--cache", tmp_path / "cache", "--state", tmp_path / "state")
    assert run("verify", release, *cache)[0] == 0
    assert run("info", "--size", release, *cache)[0] == 0
    assert run("extract", release, "--to", tmp_path / "to", *cache)[0] == 0
    lose(content, world.tags, "etcd", blobs=True)
    lose(content, world.tags, "op", blobs=False)
    code, _, err = run("verify", release, *cache)
    assert code == 1
    assert "etcd" in err
    assert "[absent-blob]" in err
    assert "[absent-image]" in err


def test_a_lost_layer_is_found(run, published, world):
    """The manifest is there and its layer is not: pulling would fail half-way."""
    release, content = published
    lose(content, world.tags, "etcd", blobs=True)
    code, out, _ = run("verify", release, "-o", "json")
    assert code == 1
    issues = json.loads(out)["issues"]
    assert [
        (issue["code"], issue.get("component")) for issue in issues if "blob" in issue["code"]
    ] == [("absent-blob", "etcd")]


def test_archives_are_compared_and_their_signature_verified(run, published, keys, signer, tmp_path):
    """A folder of archives is judged with the same keys."""
    folder = tmp_path / "archives"
    folder.mkdir()
    content = b"Name: 4.20.0"
    (folder / "release.txt").write_bytes(content)
    sums = f"{hashlib.sha256(content).hexdigest()}  release.txt\n".encode()
    (folder / "sha256sum.txt").write_bytes(sums)
    arguments = ("verify", published[0], "--artifacts", folder, "--key", keys[1])
    code, _, err = run(*arguments, "--no-require-signature")
    assert code == 1
    assert "[unsigned-checksums]" in err
    signature = asyncio.run(signer.sign_detached(sums))
    (folder / "sha256sum.txt.asc").write_bytes(signature)
    code, out, _ = run(*arguments, "--no-require-signature")
    assert code == 0
    assert f"Archives:    1 file, signed by {signer.fingerprint}" in out


def test_attachments_are_listed_and_not_verified(run, published, world):
    """A cosign tag and a referrer of a component are found, and the text says what that means."""
    release, content = published

    async def attach():
        async with RegistryClient() as client:
            repository = client.repository(parse_reference(content))
            image = await repository.manifests.get(world.tags["etcd"])
            tag = f"sha256-{image.digest[7:]}.sig"
            await push_image(repository, tag=tag, layers=[b"signature"])
            await push_image(
                repository,
                layers=[b"bill"],
                subject=image.descriptor,
                artifact_type="application/vnd.example.sbom",
            )

    asyncio.run(attach())
    code, out, _ = run("verify", release, "--list-attachments")
    assert code == 0
    assert "Attachments: 2 listed, none of them verified" in out
    assert f"etcd {world.tags['etcd']} sha256-{world.tags['etcd'][7:]}.sig" in out
    assert "application/vnd.example.sbom" in out


@pytest.mark.parametrize("option", ["--signature-store", "--signature"])
def test_signatures_without_keys_are_a_mistake(run, option, tmp_path):
    """Nobody can say what a signature is worth without a key that is trusted."""
    (tmp_path / "s").write_bytes(b"")
    code, _, err = run("verify", "quay.test/okd/release:1", option, tmp_path / "s")
    assert code == 2
    assert "with keys that you trust" in err


@pytest.fixture
def several(docker_registry, world, request):
    """An index of a release for two machines, with the pull specs of the components inside."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    place = parse_reference(f"{docker_registry}/{name}/release:4.20.0-multi")

    async def publish():
        await world.add_base()
        release = await world.release("4.20.0")
        async with RegistryClient() as client:
            repository = client.repository(place)
            await publish_release(
                release, repository, tag="4.20.0", repository_of=world.repository_of
            )
            amd64 = await repository.manifests.get("4.20.0")
            arm64 = await push_image(repository, architecture="arm64")
            index = await push_index(repository, {"amd64": amd64, "arm64": arm64}, tag=place.tag)
            content = client.repository(parse_reference(f"{docker_registry}/{name}/content"))
            for tag in world.tags:
                await copy_image(
                    ImageCopy(source=world.repository, reference=tag, destination=content)
                )
        return index, arm64

    index, arm64 = asyncio.run(publish())
    return place, index, arm64, f"{docker_registry}/{name}/content"


def test_an_index_is_signed_and_verified_with_its_members(run, several, keys, tmp_path):
    """Three digests are signed; a member whose signature is lost is a warning."""
    place, index, arm64, content = several
    store = tmp_path / "store"
    chosen = ("--filter-by-os", "linux/amd64", "--content", content)
    code, out, _ = run("sign", place, "--key", keys[0], "--to-store", store, "-o", "json", *chosen)
    assert code == 0
    assert [item["platform"] for item in json.loads(out)] == ["", "linux/amd64", "linux/arm64"]
    arguments = ("verify", place, "--key", keys[1], "--signature-store", store, *chosen)
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert "Images:      2 images, 4 manifests" in out
    shutil.rmtree(store / f"sha256={hex_of(arm64.digest)}")
    code, _, err = run(*arguments)
    assert code == 0
    assert "[unsigned-member]" in err
    lose(f"{place.repository}", {"arm64": arm64.digest}, "arm64", blobs=False)
    code, _, err = run(*arguments)
    assert code == 1
    assert f"{place.repository}@{arm64.digest} for linux/arm64, listed by" in err
    assert f"{place.repository}@{index.digest}" in err


def test_a_folder_is_never_taken_for_signed(run, published, keys, tmp_path):
    """Files have no digest: with keys that is an error, and not a silent success."""
    release, _ = published
    assert run("extract", release, "--to", tmp_path / "folder")[0] == 0
    code, _, err = run("verify", tmp_path / "folder", "--key", keys[1])
    assert code == 1
    assert "[unsigned-release]" in err
    assert run("verify", tmp_path / "folder", "--key", keys[1], "--no-require-signature")[0] == 0


def test_what_a_key_signed_badly_stays_an_error(run, published, keys, tmp_path):
    """To do without a signature is not to do with a wrong one."""
    release, _ = published
    store = ("--to-store", tmp_path / "store")
    assert run("sign", release, "--key", keys[0], "--identity", "other.test/a", *store)[0] == 0
    arguments = ("verify", release, "--key", keys[1], "--signature-store", tmp_path / "store")
    code, _, err = run(*arguments, "--no-require-signature")
    assert code == 1
    assert "[signed-reference-differs]" in err
    assert run(*arguments, "--published-as", "other.test/a")[0] == 0
