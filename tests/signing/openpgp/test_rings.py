# SPDX-License-Identifier: Apache-2.0
"""What a cluster keeps of a key ring, and which keys of it may sign."""

from __future__ import annotations

import base64

import pytest
from crafting import (
    CREATED,
    CURVE_25519,
    MD5,
    RIPEMD160,
    Key,
    created,
    curve_key,
    flags,
    number,
    packet,
    rsa_key,
    subpacket,
)
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.keyring import KeyRing, read_key_ring

ED25519 = packet(6, b"\x04" + CREATED.to_bytes(4) + b"\x16" + b"\x09rest of it")
ED25519_SUBKEY = packet(14, b"\x04" + CREATED.to_bytes(4) + b"\x16" + b"\x09rest of it")
ECDH_SUBKEY = packet(
    14,
    b"\x04"
    + CREATED.to_bytes(4)
    + b"\x12"
    + bytes([len(CURVE_25519)])
    + CURVE_25519
    + number(2**262 + 1)
    + b"\x03\x01\x08\x07",
)
REASON = subpacket(29, b"\x03gone")


def plain(key, **more):
    """A key with one user id."""
    return key.packet + key.user_id(**more)


def fingerprints(ring):
    """The primary keys of a ring."""
    return [item.primary.fingerprint for item in ring.certificates]


def may_sign(content, key):
    """Whether the ring takes signatures of ``key``."""
    return read_key_ring(content).find_signer(int.from_bytes(key.key_id)) is not None


def cause(content):
    """Why a ring cannot be loaded."""
    with pytest.raises(OpenPgpError) as raised:
        read_key_ring(content)
    return raised.value.message


@pytest.mark.parametrize(
    ("order", "kept"),
    [
        ("aE", None),
        ("Ea", "a"),
        ("abE", "a"),
        ("aEb", "b"),
        ("abEc", "ac"),
        ("aEEb", "b"),
        ("E", None),
    ],
)
def test_an_unsupported_key_takes_the_one_before_it_along(order, kept):
    """The end of a key is seen in the first packet of the next, which cannot be read."""
    keys = {name: rsa_key(index=place) for place, name in enumerate("abc")}
    content = b"".join(plain(keys[name]) if name in keys else ED25519 for name in order)
    if kept is None:
        assert "unsupported feature: public key type: 22" in cause(content)
        return
    ring = read_key_ring(content)
    assert fingerprints(ring) == [keys[name].fingerprint for name in kept]
    lost = [name for name in order if name in keys and name not in kept]
    told = [item.fingerprint for item in ring.dropped if item.fingerprint]
    assert told == [keys[name].fingerprint for name in lost]


@pytest.mark.parametrize("subkey", [ED25519_SUBKEY, ECDH_SUBKEY], ids=["ed25519", "cv25519"])
def test_an_unsupported_subkey_takes_its_key_along(subkey):
    """A key with a sub-key of another kind is lost as a whole, and the next one is not."""
    one, two = rsa_key(), rsa_key(index=1)
    ring = read_key_ring(plain(one) + subkey + plain(two))
    assert fingerprints(ring) == [two.fingerprint]


def test_the_last_self_signature_decides():
    """Of several self-signatures the last in the ring counts, whatever its date."""
    key = rsa_key()
    allows, forbids = created() + flags(3), created(CREATED + 99) + flags(1)
    text = b"test"
    data = key.for_hash + b"\xb4" + len(text).to_bytes(4) + text
    signatures = {
        name: key.sign(0x13, data, hashed=area)
        for name, area in {"allows": allows, "forbids": forbids}.items()
    }
    start = key.packet + packet(13, text)
    assert may_sign(start + signatures["forbids"] + signatures["allows"], key)
    assert not may_sign(start + signatures["allows"] + signatures["forbids"], key)


@pytest.mark.parametrize(
    ("area", "allowed"),
    [
        (b"", True),
        (flags(2), True),
        (flags(1), False),
        (flags(1) + flags(2), True),
        (flags(0), False),
        (REASON, False),
    ],
)
def test_flags_of_the_primary_key(area, allowed):
    """No flags allow everything, several add up, and a reason for revocation forbids."""
    key = rsa_key()
    assert may_sign(plain(key, hashed=created() + area), key) == allowed


def test_the_primary_user_id_decides():
    """Of several user ids the primary one speaks for the key; without one all must allow it."""
    key = rsa_key()
    primary = subpacket(25, b"\x01")
    allowing = key.user_id(b"a", hashed=created() + flags(3))
    forbidding = key.user_id(b"b", hashed=created() + flags(1))
    assert not may_sign(key.packet + allowing + forbidding, key)
    chosen = key.user_id(b"a", hashed=created() + flags(3) + primary)
    assert may_sign(key.packet + chosen + forbidding, key)
    assert may_sign(key.packet + forbidding + chosen, key)


def test_revocations_of_primary_keys():
    """A revocation in front of the user id counts, one behind it is overlooked."""
    key = rsa_key()
    revocation = key.sign(0x20, key.for_hash)
    assert not may_sign(key.packet + revocation + key.user_id(), key)
    content = plain(key) + revocation
    assert may_sign(content, key)
    assert read_key_ring(content).certificates[0].overlooks_revocation()


def test_revocations_by_others_are_errors():
    """A revocation that the key itself did not make spoils the key."""
    key, other = rsa_key(), rsa_key(index=1)
    content = key.packet + other.sign(0x20, key.for_hash) + key.user_id()
    assert "revocation signature signed by alternate key" in cause(content)


def test_a_second_copy_brings_a_revoked_key_back():
    """Each copy of a key is looked at on its own."""
    key = rsa_key()
    revoked = key.packet + key.sign(0x20, key.for_hash) + key.user_id()
    assert may_sign(revoked + plain(key), key)


@pytest.mark.parametrize(
    ("signatures", "allowed"),
    [
        ([{}], True),
        ([{"hashed": created() + flags(4), "cross": False}], False),
        ([{"hashed": created(), "cross": False}], True),
        ([{}, {"kind": 0x28, "hashed": created() + REASON, "cross": False}], False),
        ([{}, {"kind": 0x28, "hashed": created(), "cross": False}], True),
        (
            [
                {"hashed": created() + flags(4), "cross": False},
                {"hashed": created(CREATED + 1) + flags(2)},
            ],
            True,
        ),
        ([{}, {"hashed": created(CREATED - 1) + flags(4), "cross": False}], True),
        ([{"kind": 0x28, "hashed": created() + REASON, "cross": False}, {}], False),
    ],
    ids=[
        "signs",
        "encrypts",
        "no-flags",
        "revoked",
        "revoked-without-reason",
        "newer-binding",
        "older-binding",
        "binding-after-revocation",
    ],
)
def test_subkeys(signatures, allowed):
    """The newest binding decides about a sub-key, unless a revocation with a reason is there."""
    key, subkey = rsa_key(), rsa_key(index=2, is_subkey=True)
    content = plain(key) + subkey.packet + b"".join(key.bind(subkey, **item) for item in signatures)
    assert may_sign(content, subkey) == allowed


def test_signing_subkeys_need_their_own_signature():
    """Without a cross-signature the key is lost; without the flag none is asked for."""
    key, subkey = rsa_key(), rsa_key(index=2, is_subkey=True)
    content = plain(key) + subkey.packet + key.bind(subkey, cross=False)
    assert "signing subkey is missing cross-signature" in cause(content)
    assert "subkey packet not followed by signature" in cause(plain(key) + subkey.packet)
    wrong = plain(key) + subkey.packet + key.sign(0x10, b"")
    assert "openpgp: invalid data: subkey signature with wrong type" in cause(wrong)


@pytest.mark.parametrize("key", [rsa_key(), curve_key("secp384r1")], ids=["rsa", "p384"])
def test_weak_self_signatures_are_taken(key):
    """MD5 is good enough for a self-signature, RIPEMD-160 is not known."""
    assert may_sign(plain(key, function=MD5), key)
    assert "unsupported feature: hash function" in cause(plain(key, says=RIPEMD160))


def test_keys_that_cannot_sign_are_no_primary_keys():
    """A key for encryption alone is malformed as a primary key, and as long as it is one."""
    key = Key(rsa_key().secret, algorithm=2)
    assert "primary key cannot be used for signatures" in cause(plain(key))


def test_no_user_id_no_key():
    """A key nobody vouches for is none."""
    assert "entity without any identities" in cause(rsa_key().packet)


def armoured(content, *, kind="PUBLIC KEY BLOCK", width=64, end=True, head=""):
    """A block without check sum."""
    text = base64.b64encode(content).decode()
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    last = f"-----END PGP {kind}-----\n" if end else ""
    return f"-----BEGIN PGP {kind}-----\n{head}\n" + "\n".join([*lines, last])


@pytest.mark.parametrize(
    "text",
    [
        armoured(plain(rsa_key())),
        armoured(plain(rsa_key()), end=False),
        armoured(plain(rsa_key()), width=96),
        armoured(plain(rsa_key()), width=5),
        armoured(plain(rsa_key()), head="Comment: a key\n"),
        armoured(plain(rsa_key())).replace("\n", "\r\n"),
        "  " + armoured(plain(rsa_key())),
        "-----BEGIN NOTHING-----\nno colon\n" + armoured(plain(rsa_key())),
        "x" * 300 + "\n" + armoured(plain(rsa_key())),
        armoured(plain(rsa_key()), kind="PRIVATE KEY BLOCK"),
    ],
    ids=[
        "plain",
        "no-end",
        "long-lines",
        "short-lines",
        "comment",
        "crlf",
        "indented-start",
        "no-block-first",
        "long-line-first",
        "says-private",
    ],
)
def test_armour_that_is_read(text):
    """Oddities of armour that do not matter."""
    assert fingerprints(read_key_ring(text.encode())) == [rsa_key().fingerprint]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (armoured(plain(rsa_key()), width=97), "openpgp: invalid data: armor invalid"),
        (armoured(plain(rsa_key()), width=4000), "openpgp: invalid data: armor invalid"),
        (armoured(plain(rsa_key()), kind="MESSAGE"), "expected public or private key block"),
        (armoured(plain(rsa_key())).replace("\n-----END", "\n=AAAA\n-----END"), "armor invalid"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "no armored data found"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n*AAA\n", "illegal base64 data at input byte 0"),
    ],
)
def test_armour_that_is_refused(text, expected):
    """Oddities of armour that do matter, told for both ways of reading."""
    told = cause(text.encode())
    assert expected in told
    assert told.endswith("without armor (openpgp: invalid data: tag byte does not have MSB set)")


@given(st.lists(st.sampled_from([*"abE", "junk"]), max_size=6))
def test_any_order_of_keys(order):
    """A ring has those keys that nothing unreadable follows, in their order."""
    keys = {name: rsa_key(index=place) for place, name in enumerate("ab")}
    parts = {"E": ED25519, "junk": packet(60, b"?")}
    content = b"".join(parts[name] if name in parts else plain(keys[name]) for name in order)
    solid = [name for name in order if name != "junk"]
    kept = [
        name
        for name, following in zip(solid, [*solid, ""][1:], strict=True)
        if name in keys and following != "E"
    ]
    if solid and not kept:
        cause(content)
    else:
        ring = read_key_ring(content)
        assert fingerprints(ring) == [keys[name].fingerprint for name in kept]
        assert kept or ring == KeyRing()
