# SPDX-License-Identifier: Apache-2.0
"""Which keys clusters can verify, asked before anything is signed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pysequoia import Cert, CipherSuite, Tsk
from pysequoia.packet import PacketPile, Tag

from okd_payload.errors import SigningError
from okd_payload.signing.fitness import require_fit, require_verifiable
from okd_payload.signing.key_file import open_key_file
from okd_payload.testing.memory_signer import MemorySigner

NOW = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def rsa():
    """A key that clusters read."""
    return MemorySigner()


async def test_an_rsa_key_is_fit(rsa):
    """What it signs is read back as it was."""
    ring = require_fit(rsa.public_key, name="the key")
    message = await rsa.sign_message(b"claim")
    assert require_verifiable(message, ring, name="the key", now=NOW).content == b"claim"


def test_a_modern_key_is_refused_with_its_reason():
    """The number of the kind of key is what clusters say."""
    key = MemorySigner(suite=CipherSuite.Cv25519)
    with pytest.raises(
        SigningError, match=r"signs: openpgp: unsupported feature: public key type: 22$"
    ) as caught:
        require_fit(key.public_key, name="the key")
    assert "keeps clusters from starting" in caught.value.hint


def test_a_modern_sub_key_spoils_an_rsa_key(rsa):
    """One sub-key that clusters cannot read costs the whole key."""
    modern = MemorySigner(suite=CipherSuite.Cv25519)
    packets = list(PacketPile.from_bytes(modern.public_key))
    place = next(n for n, packet in enumerate(packets) if packet.tag == Tag.PublicSubkey)
    own = bytes(Cert.from_bytes(rsa.public_key))
    mixed = own + b"".join(bytes(packet) for packet in packets[place:])
    with pytest.raises(SigningError, match="clusters cannot verify"):
        require_fit(mixed, name="the key")


def test_a_revoked_key_is_refused(rsa):
    """No cluster takes a signature of a key whose revocation is known."""
    whole = Tsk.from_bytes(rsa.secret_key)
    certificate = whole.extract_certificate()
    packets = list(PacketPile.from_bytes(bytes(certificate)))
    revocation = bytes(certificate.revoke(whole.certifier()))
    packets.insert(1, next(iter(PacketPile.from_bytes(revocation))))
    with pytest.raises(SigningError, match="it is revoked"):
        require_fit(bytes(Cert.from_packets(packets)), name="the key")


async def test_a_message_of_another_key_is_refused(rsa):
    """What the public key does not verify would help no cluster."""
    ring = require_fit(rsa.public_key, name="the key")
    message = await MemorySigner("Other").sign_message(b"claim")
    with pytest.raises(SigningError, match="clusters refuse what the key signs"):
        require_verifiable(message, ring, name="the key", now=NOW)


async def test_the_recorded_keys_that_clusters_take_are_fit(shared_data):
    """Of the keys of the recordings exactly those are refused that no cluster takes, or few do."""
    folder = shared_data / "signature-vectors" / "keys" / "private"
    refused = set()
    for path in sorted(folder.glob("*.asc")):
        try:
            signer = open_key_file(path)
            ring = require_fit(signer.public_key, name=path.name)
        except SigningError:
            refused.add(path.stem)
            continue
        message = await signer.sign_message(b"claim")
        assert require_verifiable(message, ring, name=path.name, now=NOW).content == b"claim"
    modern = {"ed25519", "sq-cv25519", "sq-v6", "subed"}
    assert refused == modern | {"crafted-k1024", "expired", "revoked"}
