# SPDX-License-Identifier: Apache-2.0
"""Kinds of keys that rings have, private and old ones among them."""

from __future__ import annotations

import bz2
from pathlib import Path

import pytest
from crafting import CREATED, CURVE_25519, created, curve_key, flags, number, packet, rsa_key

from okd_payload.signing.openpgp.bunzip import Bzip2Stream
from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.inflation import Budget
from okd_payload.signing.openpgp.keyring import read_key_ring
from okd_payload.signing.openpgp.streams import MemoryStream, read_all

_PRIVATE = Path(__file__).resolve().parents[4] / "shared/data/signature-vectors/keys/private"
P256 = bytes.fromhex("2a8648ce3d030107")


def head(algorithm):
    """The beginning of a key of version 4."""
    return b"\x04" + CREATED.to_bytes(4) + bytes([algorithm])


def point(key):
    """The point of an ECDSA key as a number."""
    return key.body[6 + 1 + key.body[6] :]


def with_subkey(body):
    """An RSA key with an encryption sub-key of any kind."""
    key = rsa_key()
    sub = packet(14, body)
    data = key.for_hash + b"\x99" + len(body).to_bytes(2) + body
    binding = key.sign(0x18, data, hashed=created() + flags(12))
    return key.packet + key.user_id() + sub + binding


def cause(content):
    """Why a ring cannot be loaded, in its plain form."""
    with pytest.raises(OpenPgpError) as raised:
        read_key_ring(content)
    return raised.value.message.partition(" or without armor (")[2].removesuffix(")")


@pytest.mark.parametrize(
    "body",
    [
        head(2) + number(2**2047 + 1) + number(65537),
        head(16) + number(23) + number(5) + number(8),
        head(18) + bytes([8]) + P256 + point(curve_key()) + b"\x03\x01\x08\x07",
    ],
    ids=["rsa-encrypt-only", "elgamal", "ecdh-p256"],
)
def test_encryption_subkeys_that_do_no_harm(body):
    """Sub-keys that only encrypt are read over, and their certificate stays."""
    certificate = read_key_ring(with_subkey(body)).certificates[0]
    assert [item.key.can_sign for item in certificate.subkeys] == [False]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (head(22), "public key type: 22"),
        (b"\x06" + head(1)[1:], "public key version"),
        (b"\x01" + b"\0" * 7, "public key version"),
        (b"\x03" + CREATED.to_bytes(4) + b"\0\0\x11", "public key type: 17"),
        (head(1) + number(2**2047 + 1) + number(2**24), "large public exponent"),
        (head(19) + b"\x09" + b"x" * 9, "invalid oid length: 9"),
        (head(19) + bytes([8]) + P256 + number(7), "failed to parse EC point"),
        (head(19) + bytes([8]) + P256 + number((4 << 512) + 1), "failed to parse EC point"),
        (head(18) + b"\x0a" + CURVE_25519 + number(7), "invalid oid length: 10"),
        (head(18) + b"\x05" + b"curve" + number(7) + b"\x02\x01\x08", "KDF length: 2"),
        (head(18) + b"\x05" + b"curve" + number(7) + b"\x03\x02\x08\x07", "reserved field: 2"),
        (head(18) + b"\x05" + b"curve" + number(7) + b"\x03\x01\x08\x07", "oid: 6375727665"),
    ],
)
def test_keys_that_are_unsupported(body, expected):
    """What a cluster cannot read it says why, and the ring has no other key."""
    assert expected in cause(packet(6, body))


def old_key(modulus=2**1023 + 1, exponent=3):
    """A key of version 3."""
    body = b"\x03" + CREATED.to_bytes(4) + b"\0\0\x01" + number(modulus) + number(exponent)
    return packet(6, body)


def test_old_keys_are_stepped_over():
    """A key of version 3 is no key here; those around it stay."""
    key = rsa_key()
    plain = key.packet + key.user_id()
    assert len(read_key_ring(plain + old_key()).certificates) == 1
    assert len(read_key_ring(old_key() + plain).certificates) == 1
    assert "first packet was not a public/private key" in cause(old_key())
    assert "v3 public key modulus is too short" in cause(old_key(modulus=3))
    assert "large public exponent" in cause(old_key(exponent=2**24))


def private(key, rest):
    """A private key packet and a user id."""
    return packet(5, key.body + rest) + key.user_id()


def secret_numbers(key, *, exponent=0):
    """The secret part of an RSA key."""
    secret = key.secret.private_numbers()
    return b"\0" + b"".join(map(number, (secret.d + exponent, secret.p, secret.q, secret.iqmp)))


def test_private_keys_count_by_their_public_part():
    """A ring of private keys verifies like one of public keys, and broken ones are refused."""
    key = rsa_key()
    certificate = read_key_ring(private(key, secret_numbers(key))).certificates[0]
    assert certificate.primary.fingerprint == key.fingerprint
    assert certificate.primary.is_private
    assert cause(private(key, secret_numbers(key, exponent=1))) == (
        "crypto/rsa: invalid private key"
    )
    protected = b"\xfe\x09\x03\x08" + b"s" * 9 + b"i" * 16 + b"encrypted"
    assert read_key_ring(private(key, protected)).certificates


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (b"\x07", "deprecated s2k function in private key"),
        (b"\xfe\x09\x03\x63", "hash for S2K function: 99"),
        (b"\xfe\x09\x03\x03", "hash not available: 9"),
        (b"\xfe\x09\x02\x08", "S2K function"),
        (b"\xfe\x01\x00\x08", "unsupported cipher in private key: 1"),
    ],
)
def test_private_keys_that_are_unsupported(rest, expected):
    """Ways of protecting a key that the library does not know."""
    assert expected in cause(private(rsa_key(), rest))


def test_private_keys_end_the_search_for_the_next_key():
    """Behind what cannot be read only public keys are looked for."""
    key, other = rsa_key(), rsa_key(index=1)
    unreadable = packet(6, head(22))
    public = other.packet + other.user_id()
    ring = read_key_ring(unreadable + private(key, secret_numbers(key)) + public)
    assert [item.primary.fingerprint for item in ring.certificates] == [other.fingerprint]


def test_private_ecdh_keys_are_refused():
    """A cluster crashes on one that has no passphrase; here it is only refused."""
    body = head(18) + bytes([8]) + P256 + point(curve_key()) + b"\x03\x01\x08\x07"
    deadly = packet(7, body + b"\0" + number(5))
    key, other = rsa_key(), rsa_key(index=1)
    plain = [item.packet + item.user_id() for item in (key, other)]
    sub = rsa_key(index=2, is_subkey=True)
    assert "on which a cluster crashes" in cause(plain[0] + deadly + plain[1])
    bound = plain[0] + sub.packet + key.bind(sub)
    assert "on which a cluster crashes" in cause(bound + deadly + plain[1])
    assert "on which a cluster crashes" in cause(plain[0] + packet(17, b"\0") + plain[1])


@pytest.mark.parametrize("path", sorted(_PRIVATE.glob("*.asc")), ids=lambda path: path.stem)
def test_real_private_keys(path):
    """A ring of private keys has the same keys as the public one, of every program."""
    if path.stem == "sq-p256":
        pytest.skip("has a private ECDH key without passphrase")
    public = path.parent.parent / "public" / path.name
    try:
        expected = read_key_ring(public.read_bytes())
    except OpenPgpError:
        with pytest.raises(OpenPgpError):
            read_key_ring(path.read_bytes())
        return
    found = read_key_ring(path.read_bytes())
    assert [item.primary.body for item in found.certificates] == [
        item.primary.body for item in expected.certificates
    ]


def test_several_streams_of_bzip2():
    """Streams in a row are one; anything else behind the first is damage."""
    two = bz2.compress(b"one") + bz2.compress(b"two")
    assert read_all(Bzip2Stream(MemoryStream(two), Budget())) == b"onetwo"
    for rest, told in ((b"xy", "bad magic value in continuation file"), (b"B", "unexpected EOF")):
        stream = Bzip2Stream(MemoryStream(bz2.compress(b"one") + rest), Budget())
        assert stream.read(10) == b"one"
        with pytest.raises(OpenPgpError, match=told):
            stream.read(10)
