# SPDX-License-Identifier: Apache-2.0
"""Keys that the caller trusts, and signatures of releases by them."""

from __future__ import annotations

import pytest
from pysequoia import CipherSuite

from okd_payload.errors import InvalidDocument
from okd_payload.oci.digest import digest_of
from okd_payload.oci.reference import parse_reference
from okd_payload.release.load import ReleaseContent
from okd_payload.release.sign.sign import ClaimOptions, ReleaseDigest, ReleaseSigner
from okd_payload.release.verify.signatures import open_signatures, verify_signatures
from okd_payload.release.verify.trust import KEY_FILES, own_stores, read_trust
from okd_payload.signing.signature_config_map import signature_config_map
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_documents import MemoryDocuments
from okd_payload.testing.memory_signature_store import MemorySignatureStore
from okd_payload.testing.memory_signer import MemorySigner

CLOCK = ManualClock(4e9)
RELEASE = ReleaseDigest(digest=digest_of(b"release"))
MEMBER = ReleaseDigest(digest=digest_of(b"member"), platform="linux/arm64")
OPTIONS = ClaimOptions(identity=parse_reference("quay.test/okd/release"), timestamp=1)


@pytest.fixture(scope="session")
def other():
    """Another key."""
    return MemorySigner("Other")


@pytest.fixture
def key_file(tmp_path, signer):
    """The public key as a file."""
    path = tmp_path / "key.asc"
    path.write_bytes(signer.public_key)
    return path


@pytest.fixture
def key_ring(tmp_path, signer, other):
    """A cluster's ConfigMap that asks for both keys."""
    path = tmp_path / "keyring.yaml"
    path.write_text(manifest(one=signer, two=other))
    return path


def manifest(**signers):
    """A ConfigMap as cluster-update-keys has it."""
    entries = "".join(
        f"  verifier-public-key-{name}: |\n"
        + "".join(f"    {line}\n" for line in item.public_key.decode().splitlines())
        for name, item in signers.items()
    )
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: release-verification\n"
        "  namespace: openshift-config-managed\n  annotations:\n"
        '    release.openshift.io/verification-config-map: ""\n'
        f"data:\n  store-a: https://store.example.com/releases\n{entries}"
    )


async def signature(signer, wanted=RELEASE):
    """A signature as it is published."""
    return (await ReleaseSigner(signer, clock=CLOCK).sign(wanted, OPTIONS)).message


async def verdict_of(trust, *signatures, digests=(RELEASE,)):
    """What is found with these signatures of the release."""
    store = MemorySignatureStore({RELEASE.digest: signatures})
    return await verify_signatures(digests, trust, store, clock=CLOCK)


async def test_any_of_the_keys_suffices(key_file, signer, other, tmp_path):
    """Key files are one ring."""
    second = tmp_path / "second.asc"
    second.write_bytes(other.public_key)
    found = await verdict_of(read_trust([key_file, second], []), await signature(other))
    assert found.issues == ()
    assert found.digests[0].keys == (other.fingerprint,)
    assert found.digests[0].signatures[0].endswith("signature-1")


async def test_every_entry_of_a_key_ring_is_needed(key_ring, signer, other):
    """A cluster's ConfigMap is satisfied as in a cluster, and names where signatures are."""
    trust = read_trust([], [key_ring])
    assert list(trust.configuration.stores.values()) == ["https://store.example.com/releases"]
    found = await verdict_of(trust, await signature(signer))
    assert [issue.code for issue in found.issues] == ["unsigned-release", "refused-signature"]
    assert "verifier-public-key-two" in found.issues[0].message
    found = await verdict_of(trust, await signature(signer), await signature(other))
    assert found.issues == ()
    assert found.digests[0].keys == (signer.fingerprint, other.fingerprint)


async def test_an_unsigned_release_is_an_error_and_a_member_a_warning(key_file, signer):
    """Each digest is looked up by itself."""
    digests = (RELEASE, MEMBER)
    found = await verdict_of(read_trust([key_file], []), digests=digests)
    assert [(issue.code, issue.blocks) for issue in found.issues] == [
        ("unsigned-release", True),
        ("unsigned-member", False),
    ]
    assert "linux/arm64" in found.issues[1].message
    found = await verdict_of(read_trust([key_file], []), await signature(signer), digests=digests)
    assert [issue.code for issue in found.issues] == ["unsigned-member"]


@pytest.mark.parametrize("content", [b"no signature", b""])
async def test_why_a_signature_does_not_count_is_told(key_file, content):
    """The words are those of the cluster."""
    found = await verdict_of(read_trust([key_file], []), content)
    assert [issue.code for issue in found.issues] == ["unsigned-release", "refused-signature"]
    assert KEY_FILES in found.issues[0].message


async def test_a_signature_of_another_release_does_not_count(key_file, signer):
    """A good signature of a member is none of the release."""
    found = await verdict_of(read_trust([key_file], []), await signature(signer, MEMBER))
    assert "signature digest does not match" in found.issues[1].message


async def test_signatures_come_from_files_config_maps_and_stores(key_file, signer, tmp_path):
    """A file is tried for every digest, a ConfigMap and a store have their own names."""
    trust = read_trust([key_file], [])
    plain = tmp_path / "signature-1"
    plain.write_bytes(await signature(signer))
    written = tmp_path / "signatures.json"
    written.write_bytes(signature_config_map(RELEASE.digest, [plain.read_bytes()]))
    documents = MemoryDocuments(
        {f"https://s.test/sha256={RELEASE.digest[7:]}/signature-1": plain.read_bytes()}
    )
    for files, stores in (([plain], []), ([written], []), ([], ["https://s.test"])):
        store = open_signatures(files, stores, documents)
        found = await verify_signatures([RELEASE], trust, store, clock=CLOCK)
        assert found.issues == ()


def test_keys_that_clusters_cannot_read_are_refused(tmp_path):
    """Whoever trusts an Ed25519 key could not be told the truth about its signatures."""
    path = tmp_path / "ed25519.asc"
    path.write_bytes(MemorySigner(suite=CipherSuite.Cv25519).public_key)
    with pytest.raises(InvalidDocument, match="clusters cannot use this key"):
        read_trust([path], [])


@pytest.mark.parametrize("content", ["", "no key", "kind: ConfigMap\napiVersion: v1\n"])
def test_other_files_are_no_keys(tmp_path, content):
    """A file that is neither a key nor a key ring is named."""
    path = tmp_path / "file.yaml"
    path.write_text(content)
    with pytest.raises(InvalidDocument, match=r"file\.yaml"):
        read_trust([path], [])
    with pytest.raises(InvalidDocument, match=r"file\.yaml"):
        read_trust([], [path])


def test_without_keys_there_is_no_trust():
    """No key is built in, and none is taken from the release."""
    assert read_trust([], []) is None


def test_a_release_says_where_its_signatures_are(signer):
    """Its addresses are taken, and its keys are not."""
    files = {"0000_90_keys.yaml": manifest(a=signer).encode(), "0000_00_a.yaml": b"a: 1\n"}
    assert own_stores(ReleaseContent(origin="r", files=files)) == (
        "https://store.example.com/releases",
    )
    assert own_stores(ReleaseContent(origin="r", files={"a.yaml": b"a: 1\n"})) == ()


async def test_what_clusters_let_pass_is_an_issue(key_file, signer):
    """A signature for another repository is accepted by clusters, and told here."""
    store = MemorySignatureStore({RELEASE.digest: [await signature(signer)]})
    trust = read_trust([key_file], [])
    for place, codes in (
        ("quay.test/okd/release", []),
        ("mirror.test/okd/release", ["signed-reference-differs"]),
    ):
        found = await verify_signatures(
            [RELEASE], trust, store, clock=CLOCK, published=parse_reference(place)
        )
        assert found.digests[0].accepted
        assert [issue.code for issue in found.issues] == codes
