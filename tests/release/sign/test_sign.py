# SPDX-License-Identifier: Apache-2.0
"""Signatures of releases: which digests, by which keys, and where they end up."""

from __future__ import annotations

import json

import msgspec
import pytest
from pysequoia import CipherSuite
from pysequoia.packet import PacketPile, Tag

from okd_payload.errors import InputError, SigningError
from okd_payload.oci.image import read_image
from okd_payload.oci.manifest import Index, Platform, encode_manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.release.sign.outputs import require_single, write_config_maps
from okd_payload.release.sign.sign import (
    ClaimOptions,
    ReleaseSigner,
    find_digests,
    sign_release,
)
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.images import push_image, push_index
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.memory_signatures import MemoryTarget
from okd_payload.testing.memory_signer import MemorySigner

OPTIONS = ClaimOptions(
    identity=parse_reference("quay.test/okd/scos-release:4.20"),
    timestamp=1_700_000_000,
    creator="us",
)


@pytest.fixture(scope="module")
def keys():
    """Two keys, made once."""
    return MemorySigner("First"), MemorySigner("Second")


@pytest.fixture
def signers(keys):
    """The keys, found fit."""
    return [ReleaseSigner(key, clock=ManualClock(4e9)) for key in keys]


@pytest.fixture
async def image():
    """The image of a release."""
    repository = MemoryRepository()
    return await read_image(repository, (await push_image(repository)).digest)


def content_of(message):
    """What a message says, not verified."""
    packets = list(PacketPile.from_bytes(message))
    assert [packet.tag for packet in packets] == [Tag.OnePassSig, Tag.Literal, Tag.Signature]
    return json.loads(packets[1].literal_data)


async def test_each_key_makes_a_message_of_its_own(image, signers):
    """Clusters refuse two signers in one message, so there are two messages that say the same."""
    signed = await sign_release(image, signers, OPTIONS)
    assert [item.fingerprint for item in signed] == [item.fingerprint for item in signers]
    reference = f"quay.test/okd/scos-release@{image.referenced.digest}"
    for item in signed:
        assert item.reference == reference
        assert content_of(item.message) == {
            "critical": {
                "type": "atomic container signature",
                "image": {"docker-manifest-digest": image.referenced.digest},
                "identity": {"docker-reference": reference},
            },
            "optional": {"creator": "us", "timestamp": 1_700_000_000},
        }


async def test_members_of_an_index_are_signed_too():
    """Who mirrors one machine's member asks for its digest; attestations are nobody's member."""
    repository = MemoryRepository()
    members = {name: await push_image(repository, architecture=name) for name in ("amd64", "arm64")}
    index = await push_index(repository, members)
    attestation = await push_image(repository, layers=[b"attestation"])
    listed = msgspec.structs.replace(
        attestation.descriptor, platform=Platform("unknown", "unknown")
    )
    index = encode_manifest(Index(manifests=(*index.index().manifests, listed)))
    await repository.manifests.put(index)
    image = await read_image(repository, index.digest, platform=Platform("arm64"))
    assert [(item.digest, item.platform) for item in find_digests(image)] == [
        (index.digest, ""),
        (members["amd64"].digest, "linux/amd64"),
        (members["arm64"].digest, "linux/arm64"),
    ]


async def test_signing_again_adds_nothing(image, signers):
    """The same key and claim at another time is the same signature; another key's is not."""
    target = MemoryTarget()
    first, second = await sign_release(image, signers, OPTIONS)
    assert (await signers[0].place(first, target)).added
    assert (await signers[1].place(second, target)).number == 2
    later = msgspec.structs.replace(OPTIONS, timestamp=1_800_000_000)
    again = (await sign_release(image, signers[:1], later))[0]
    placed = await signers[0].place(again, target)
    assert (placed.number, placed.added, placed.signature) == (1, False, first.message)
    assert len(target.files) == 2


async def test_another_claim_is_another_signature(image, signers):
    """The same digest signed for another repository is added."""
    target = MemoryTarget()
    mirror = msgspec.structs.replace(OPTIONS, identity=parse_reference("mirror.test/release"))
    for options in (OPTIONS, mirror):
        signature = (await sign_release(image, signers[:1], options))[0]
        placed = await signers[0].place(signature, target)
        assert placed.added
    assert placed.number == 2


async def test_a_store_that_gives_out_something_else_is_found(image, signers):
    """What cannot be read back would not help any cluster."""
    target = MemoryTarget()

    async def add(digest, number, signature):
        target.files[f"sha256={digest[7:]}/signature-{number}"] = b"<html>login</html>"
        return True

    target.add = add
    signature = (await sign_release(image, signers[:1], OPTIONS))[0]
    with pytest.raises(SigningError, match="does not give out signature-1"):
        await signers[0].place(signature, target)


@pytest.mark.parametrize("suite", [CipherSuite.Cv25519, CipherSuite.Cv448])
def test_keys_that_clusters_cannot_read_do_not_sign(suite):
    """An Ed25519 key is refused before it signs, with what it would do to a cluster."""
    key = MemorySigner(suite=suite)
    with pytest.raises(SigningError, match="clusters cannot verify what the key") as caught:
        ReleaseSigner(key, clock=ManualClock())
    assert "RSA" in caught.value.hint
    assert key.signed == []


@pytest.mark.parametrize("suite", [CipherSuite.P256, CipherSuite.P384])
async def test_keys_on_old_curves_sign(image, suite):
    """ECDSA over NIST curves is what clusters can read besides RSA."""
    signer = ReleaseSigner(MemorySigner(suite=suite), clock=ManualClock(4e9))
    assert len(await sign_release(image, [signer], OPTIONS)) == 1


async def test_signatures_of_a_digest_share_a_config_map(image, signers, tmp_path):
    """In a folder each digest has a file with oc's name; else all are in one file."""
    signed = await sign_release(image, signers, OPTIONS)
    write_config_maps(signed, tmp_path)
    (written,) = tmp_path.iterdir()
    digits = image.referenced.digest[7:]
    assert written.name == f"signature-sha256-{digits[:16]}.json"
    assert sorted(json.loads(written.read_bytes())["binaryData"]) == [
        f"sha256-{digits}-1",
        f"sha256-{digits}-2",
    ]
    write_config_maps(signed, tmp_path / "new" / "file.json")
    assert (tmp_path / "new" / "file.json").read_bytes() == written.read_bytes()


async def test_one_file_holds_one_signature(image, signers):
    """Two signatures in one file would be one that no cluster reads."""
    with pytest.raises(InputError, match="there are 2 signatures"):
        require_single(await sign_release(image, signers, OPTIONS))
