# SPDX-License-Identifier: Apache-2.0
"""What publishers should not let pass, each with a code of its own."""

from __future__ import annotations

import json

import pytest
from crafting import (
    CREATED,
    MD5,
    SHA1,
    SHA224,
    created,
    curve_key,
    flags,
    literal,
    message,
    one_pass,
    packet,
    rsa_key,
    subpacket,
)

from okd_payload.signing import codes
from okd_payload.signing.configuration import Configuration
from okd_payload.signing.openpgp.keyring import read_key_ring
from okd_payload.signing.strictness import check_strictly
from okd_payload.signing.verification import verify_digest
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_signature_store import MemorySignatureStore

DIGEST = "sha256:" + "ab" * 32
REFERENCE = f"quay.test/okd@{DIGEST}"
CLOCK = ManualClock(CREATED + 1_000_000)
UNSUPPORTED = packet(6, b"\x04" + CREATED.to_bytes(4) + b"\x16rest")


def claim(reference=REFERENCE):
    """What is signed."""
    critical = {
        "type": "atomic container signature",
        "image": {"docker-manifest-digest": DIGEST},
        "identity": {"docker-reference": reference},
    }
    return json.dumps({"critical": critical}).encode()


async def check(content, ring, *, reference=REFERENCE):
    """Whether a cluster accepts, and the codes of all issues."""
    rings = {"verifier-public-key-a": read_key_ring(ring)}
    configuration = Configuration(source="test", rings=rings, stores={})
    store = MemorySignatureStore({DIGEST: [content]})
    verdict = await verify_digest(DIGEST, configuration, store, clock=CLOCK)
    issues = check_strictly(verdict, configuration, reference=reference, clock=CLOCK)
    assert all(issue.message and issue.hint and issue.file for issue in issues)
    return verdict.accepted, [issue.code for issue in issues]


def plain(key, **more):
    """A key with one user id."""
    return key.packet + key.user_id(**more)


def lasting(seconds):
    """A self-signature's area with flags, and with the time after which the key expires."""
    return created() + flags(3) + subpacket(9, seconds.to_bytes(4))


@pytest.mark.parametrize("key", [rsa_key(), curve_key()], ids=["rsa", "p256"])
async def test_good_signatures_have_no_issues(key):
    """What a careful publisher makes passes."""
    assert await check(message(key, claim()), plain(key)) == (True, [])


@pytest.mark.parametrize("function", [MD5, SHA1, SHA224])
async def test_weak_hashes(function):
    """A cluster takes them, we tell."""
    key = rsa_key()
    content = message(key, claim(), function=function)
    assert await check(content, plain(key)) == (True, [codes.WEAK_HASH.code])


async def test_short_keys():
    """A cluster takes RSA keys of 1024 bits, we tell."""
    key = rsa_key(1024)
    assert await check(message(key, claim()), plain(key)) == (True, [codes.WEAK_KEY.code])


@pytest.mark.parametrize(
    ("seconds", "expected"), [(999_999, [codes.EXPIRED_KEY.code]), (1_000_001, [])]
)
async def test_expired_keys(seconds, expected):
    """The time of the self-signature counts, from the moment the key was made."""
    key = rsa_key()
    assert await check(message(key, claim()), plain(key, hashed=lasting(seconds))) == (
        True,
        expected,
    )


async def test_subkeys_expire_with_their_primary_key():
    """A sub-key that never expires is no better than the key above it; copies may extend both."""
    key, subkey = rsa_key(), rsa_key(index=2, is_subkey=True)
    content = message(subkey, claim())
    ring = plain(key, hashed=lasting(5)) + subkey.packet + key.bind(subkey)
    assert await check(content, ring) == (True, [codes.EXPIRED_KEY.code])
    extended = plain(key) + subkey.packet + key.bind(subkey)
    assert await check(content, ring + extended) == (True, [])


async def test_revoked_keys():
    """Any revocation is told, those that clusters overlook as well."""
    key = rsa_key()
    content, revocation = message(key, claim()), key.sign(0x20, key.for_hash)
    told = [codes.REVOKED_KEY.code]
    revoked = key.packet + revocation + key.user_id()
    assert await check(content, revoked) == (False, told)
    assert await check(content, revoked + plain(key)) == (True, told)
    assert await check(content, plain(key) + revocation) == (True, told)
    forged = rsa_key(index=1).sign(0x20, key.for_hash)
    assert await check(content, plain(key) + forged) == (True, [])


async def test_revoked_subkeys_without_a_reason():
    """A cluster only sees the revocation of a sub-key that gives a reason."""
    key, subkey = rsa_key(), rsa_key(index=2, is_subkey=True)
    revocation = key.bind(subkey, kind=0x28, hashed=created(), cross=False)
    ring = plain(key) + subkey.packet + key.bind(subkey) + revocation
    assert await check(message(subkey, claim()), ring) == (True, [codes.REVOKED_KEY.code])


async def test_times_of_signatures():
    """A signature of tomorrow is taken by clusters, one whose time is over is not."""
    key = rsa_key()
    tomorrow = created(CREATED + 1_086_400)
    assert await check(message(key, claim(), hashed=tomorrow), plain(key)) == (
        True,
        [codes.FUTURE_SIGNATURE.code],
    )
    over = created() + subpacket(3, (9).to_bytes(4))
    assert await check(message(key, claim(), hashed=over), plain(key)) == (
        False,
        [codes.EXPIRED_SIGNATURE.code],
    )


async def test_several_signers():
    """Two keys in one message are refused, and told apart from a bad signature."""
    one, two = rsa_key(), rsa_key(index=1)
    content = one_pass(one, is_last=False) + one_pass(two) + literal(claim())
    content += two.sign(0, claim()) + one.sign(0, claim())
    assert await check(content, plain(one) + plain(two)) == (False, [codes.SEVERAL_SIGNERS.code])


@pytest.mark.parametrize(
    ("claimed", "differs"),
    [
        (REFERENCE, False),
        ("quay.test/okd:5.0", False),
        ("quay.test/okd", False),
        ("quay.test/other:5.0", True),
        ("quay.test/okd@sha256:" + "cd" * 32, True),
        ("no reference!", True),
    ],
)
async def test_references(claimed, differs):
    """The signed place has to be where the release is, by tag or by digest."""
    key = rsa_key()
    told = [codes.OTHER_REFERENCE.code] if differs else []
    assert await check(message(key, claim(claimed)), plain(key)) == (True, told)
    assert await check(message(key, claim(claimed)), plain(key), reference="") == (True, [])


async def test_damaged_rings():
    """Keys that clusters cannot read, and those lost to them, are told one by one."""
    one, two = rsa_key(), rsa_key(index=1)
    ring = plain(one) + plain(two) + UNSUPPORTED
    assert await check(message(one, claim()), ring) == (True, [codes.LOST_KEY.code])
    ring = UNSUPPORTED + plain(one)
    assert await check(message(one, claim()), ring) == (True, [codes.UNREADABLE_KEY.code])
    assert await check(message(one, claim()), b"") == (False, [codes.EMPTY_KEY_RING.code])


async def test_unknown_keys_and_garbage_have_no_issues_of_their_own():
    """What is only refused needs no second explanation."""
    one, two = rsa_key(), rsa_key(index=1)
    assert await check(message(two, claim()), plain(one)) == (False, [])
    assert await check(b"garbage", plain(one)) == (False, [])
