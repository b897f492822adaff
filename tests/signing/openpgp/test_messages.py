# SPDX-License-Identifier: Apache-2.0
"""Which signed messages a cluster takes, made packet by packet."""

from __future__ import annotations

import bz2
import hashlib
import zlib
from datetime import UTC, datetime

import pytest
from crafting import (
    CREATED,
    MD5,
    RIPEMD160,
    SHA1,
    SHA224,
    SHA256,
    SHA512,
    created,
    curve_key,
    dsa_key,
    literal,
    message,
    number,
    one_pass,
    packet,
    rsa_key,
    subpacket,
)

from okd_payload.signing.openpgp.keyring import read_key_ring
from okd_payload.signing.openpgp.message import MessageRefused, open_message

NOW = datetime.fromtimestamp(CREATED + 1000, UTC)


def ring_of(*keys, **more):
    """A ring with keys that may sign."""
    return read_key_ring(b"".join(key.packet + key.user_id(**more) for key in keys))


def refusal(content, *keys):
    """Why a message is refused."""
    with pytest.raises(MessageRefused) as raised:
        open_message(content, ring_of(*keys), now=NOW)
    return raised.value.message


def opened(content, *keys):
    """What an accepted message says."""
    return open_message(content, ring_of(*keys), now=NOW).content


@pytest.mark.parametrize("function", [MD5, SHA1, SHA224, SHA256, SHA512])
@pytest.mark.parametrize("make", [rsa_key, dsa_key, curve_key], ids=["rsa", "dsa", "p256"])
def test_weak_hashes_are_taken(make, function):
    """Every hash of the library verifies with every kind of key."""
    key = make()
    if make is dsa_key and function == MD5:
        pytest.skip("nothing here makes such a signature")
    assert opened(message(key, function=function), key) == b"content"


@pytest.mark.parametrize("curve", ["secp256r1", "secp384r1", "secp521r1"])
def test_the_nist_curves_are_taken(curve):
    """ECDSA over three curves works, and a changed byte is noticed."""
    key = curve_key(curve)
    assert opened(message(key), key) == b"content"
    forged = message(key, b"content").replace(literal(b"content"), literal(b"Content"))
    assert refusal(forged, key).endswith("hash tag doesn't match")


def test_rsa_needs_1024_bits():
    """The library refuses shorter keys by now, and takes this one."""
    key = rsa_key(1024)
    assert opened(message(key, function=SHA512), key) == b"content"


def test_the_hash_named_in_an_rsa_signature_counts():
    """RSA signatures announce their hash; one that names another is bad."""
    key = rsa_key()
    content = message(key, function=SHA256, says=SHA224)
    assert refusal(content, key) == (
        "signature error: openpgp: invalid signature: RSA verification failure"
    )


def test_the_hash_named_in_an_ecdsa_signature_does_not_count():
    """Only the one-pass packet says what is hashed; ECDSA compares nothing else."""
    key = curve_key()
    assert opened(message(key, function=SHA256, says=RIPEMD160), key) == b"content"


def test_the_algorithm_must_be_the_keys():
    """A signature that names another algorithm than its key has is refused."""
    key = rsa_key()
    other = rsa_key(algorithm=3, index=1)
    content = one_pass(key) + literal(b"x") + other.sign(0, b"x")
    assert "public key and signature use different algorithms" in refusal(content, key)


def test_a_literal_alone_is_not_signed():
    """Data that nobody announced a signature for is not signed."""
    key = rsa_key()
    assert refusal(literal(b"x"), key) == "not signed"
    assert refusal(key.sign(0, b"x") + literal(b"x"), key) == "not signed"


def test_the_first_known_key_stays():
    """A second announcement decides about the hash, and not about the key when it is unknown."""
    key = rsa_key()
    strange = one_pass(key, key_id=b"12345678")
    content = one_pass(key) + strange + literal(b"x") + key.sign(0, b"x")
    assert opened(content, key) == b"x"
    assert opened(strange + one_pass(key) + literal(b"x") + key.sign(0, b"x"), key) == b"x"


def test_an_empty_signature_packet_ends_all():
    """A signature packet without content counts as the end of the message."""
    key = rsa_key()
    assert refusal(one_pass(key) + literal(b"x") + packet(2, b""), key) == "signature error: EOF"
    assert refusal(packet(2, b"") + message(key), key) == "could not read the message: EOF"


@pytest.mark.parametrize("area", ["hashed", "unhashed"])
def test_critical_unknown_subpackets_refuse(area):
    """A critical sub-packet of an unknown kind refuses, in either area."""
    key = rsa_key()
    extra = {"hashed": created(), "unhashed": b""}[area] + subpacket(33, b"x", critical=True)
    assert refusal(message(key, **{area: extra}), key) == (
        "signature error: openpgp: unsupported feature:"
        " unknown critical signature subpacket type 33"
    )
    assert opened(message(key, **{area: extra.replace(b"\xa1", b"\x21")}), key) == b"content"


def test_times_count_in_the_hashed_area_only():
    """A creation time outside refuses, a life time outside is passed over."""
    key = rsa_key()
    assert "signature creation time in non-hashed area" in refusal(
        message(key, unhashed=created()), key
    )
    over = subpacket(3, (1).to_bytes(4))
    assert opened(message(key, unhashed=over), key) == b"content"
    assert refusal(message(key, hashed=created() + over), key) == (
        "signature expired on 2023-11-14 22:13:21 +0000 UTC"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\nb", b"a\r\nb"),
        (b"a\r\nb", b"a\r\nb"),
        (b"a\r\r\nb", b"a\r\r\r\nb"),
        (b"a\r", b"a\r"),
        (b"\n\n", b"\r\n\r\n"),
    ],
)
def test_text_signatures_even_out_line_ends(content, expected):
    """A signature over text is over its lines with CR LF, as this library writes them."""
    key = rsa_key()
    signed = one_pass(key, kind=1) + literal(content) + key.sign(1, expected)
    assert opened(signed, key) == content


def old_signature(key, content):
    """A signature of version 3."""
    hashed = b"\0" + CREATED.to_bytes(4)
    digest = hashlib.sha256(content + hashed).digest()
    body = b"\x03\x05" + hashed + key.key_id + bytes([key.algorithm, SHA256]) + digest[:2]
    return packet(2, body + key._sign_digest(digest, SHA256))


def test_old_signatures():
    """Version 3 works with RSA and DSA, and is unknown to ECDSA."""
    key = rsa_key()
    assert opened(one_pass(key) + literal(b"x") + old_signature(key, b"x"), key) == b"x"
    curve = curve_key()
    content = one_pass(curve) + literal(b"x") + old_signature(curve, b"x")
    assert refusal(content, curve).endswith("unsupported feature: public key algorithm 19")


def test_a_wrong_sum_behind_the_signature_is_never_seen():
    """Reading ends with the signature; whether the compressed data ends well does not matter."""
    key = rsa_key()
    damaged = bytearray(zlib.compress(message(key)))
    damaged[-1] ^= 1
    assert opened(packet(8, b"\x02" + bytes(damaged)), key) == b"content"
    damaged = bytearray(bz2.compress(message(key)))
    damaged[10] ^= 1
    assert opened(packet(8, b"\x03" + bytes(damaged)), key) == b"content"


@pytest.mark.parametrize(
    ("compressed", "cause"),
    [
        (b"\x02xx", "zlib: invalid header"),
        (b"\x02\x78\xbb\0\0\0\0", "zlib: invalid dictionary"),
        (b"\x02\x78", "unexpected EOF"),
        (b"\x01\x07", "flate: corrupt input before offset 1"),
        (b"\x03xxxxxxxxxxxx", "bzip2 data invalid: bad magic value"),
        (b"\x03BZh9xxxxxxxxxxxx", "bzip2 data invalid: damaged block"),
        (b"", "unexpected EOF"),
    ],
)
def test_damaged_compression(compressed, cause):
    """What is wrong with compressed data is told as the library tells it."""
    key = rsa_key()
    assert refusal(packet(8, compressed), key) == f"could not read the message: {cause}"


def test_signature_outside_of_the_compressed_data():
    """Only the data may be compressed; the signature is found behind it."""
    key = rsa_key()
    inner = zlib.compress(one_pass(key) + literal(b"x"), wbits=-15)
    assert opened(packet(8, b"\x01" + inner) + key.sign(0, b"x"), key) == b"x"
    indeterminate = b"\xa3\x01" + inner + key.sign(0, b"x")
    assert opened(indeterminate, key) == b"x"


@pytest.mark.parametrize(
    ("packets", "cause"),
    [
        (packet(9, b"secret"), "openpgp: incorrect key"),
        (
            packet(18, b"\x02"),
            "openpgp: unsupported feature: unknown SymmetricallyEncrypted version",
        ),
        (packet(3, b"\x04\x09\x03\x08" + b"s" * 9) + packet(18, b"\x01"), "openpgp: incorrect key"),
        (packet(3, b"\x04\x01\x03\x08"), "openpgp: unsupported feature: unknown cipher: 1"),
        (packet(3, b"\x05\x09"), "openpgp: unsupported feature: SymmetricKeyEncrypted version"),
        (
            packet(1, b"\x02" + b"k" * 9),
            "openpgp: unsupported feature: unknown EncryptedKey version 2",
        ),
        (packet(17, b"\x05"), "openpgp: invalid data: subpacket truncated"),
    ],
)
def test_packets_in_front_that_refuse(packets, cause):
    """Encryption is refused, and so is what cannot be read in front of a good message."""
    key = rsa_key()
    assert refusal(packets + message(key), key) == f"could not read the message: {cause}"


def test_a_session_key_must_be_followed_by_encryption():
    """A message for a key of the ring, or for a passphrase, that is not encrypted is refused."""
    key = rsa_key()
    passphrase = packet(3, b"\x04\x09\x03\x08" + b"s" * 9)
    for_us = packet(1, b"\x03" + key.key_id + b"\x01" + number(5))
    for_others = packet(1, b"\x03" + b"12345678" + b"\x01" + number(5))
    for front in (passphrase, for_us):
        assert refusal(front + message(key), key).endswith(
            "key material not followed by encrypted message"
        )
    assert opened(for_others + message(key), key) == b"content"
