# SPDX-License-Identifier: Apache-2.0
"""The cluster's verdict about a release, and what it is made of."""

from __future__ import annotations

import json

import pytest

from okd_payload.clock import SystemClock
from okd_payload.signing.configuration import Configuration
from okd_payload.signing.openpgp.keyring import KeyRing, read_key_ring
from okd_payload.signing.verification import Verdict, verify_digest
from okd_payload.testing.memory_signature_store import MemorySignatureStore
from okd_payload.testing.memory_signer import MemorySigner

DIGEST = "sha256:" + "ab" * 32


@pytest.fixture(scope="module")
def signers():
    """Three keys, made once."""
    return [MemorySigner(f"{name} <{name}@example.com>") for name in "abc"]


def claim(digest=DIGEST):
    """What is signed for a digest."""
    critical = {
        "type": "atomic container signature",
        "image": {"docker-manifest-digest": digest},
        "identity": {"docker-reference": "quay.test/okd:1"},
    }
    return json.dumps({"critical": critical}).encode()


def configuration(**rings):
    """Rings by name, each of some keys."""
    loaded = {
        f"verifier-public-key-{name}": KeyRing(
            certificates=tuple(
                item for key in keys for item in read_key_ring(key.public_key).certificates
            )
        )
        for name, keys in rings.items()
    }
    return Configuration(source="test", rings=loaded, stores={})


async def verdict(signatures, rings, digest=DIGEST):
    """The verdict with these signatures."""
    store = MemorySignatureStore({digest: signatures})
    return await verify_digest(digest, rings, store, clock=SystemClock()), store


async def test_every_ring_wants_a_signature_of_one_of_its_keys(signers):
    """Rings are joined by and, the keys of a ring by or."""
    one, two, three = signers
    rings = configuration(x=[one, two], y=[three])
    by_two, by_three = [await key.sign_message(claim()) for key in (two, three)]
    found, _ = await verdict([by_two, by_three], rings)
    assert found.accepted
    assert [(item.entry, item.certificate) for item in found.satisfied] == [
        ("verifier-public-key-x", two.fingerprint),
        ("verifier-public-key-y", three.fingerprint),
    ]
    assert found.causes == ("invalid signature",)
    found, _ = await verdict([by_two], rings)
    assert found.message == f"unable to verify {DIGEST} against keyrings: verifier-public-key-y"
    assert found.unsatisfied == ("verifier-public-key-y",)
    assert found.causes == (
        "invalid signature",
        "signatures in memory: no more signatures to check",
    )


async def test_one_signature_may_satisfy_several_rings(signers):
    """The search ends as soon as nothing is wanted any more."""
    key = signers[0]
    content = await key.sign_message(claim())
    found, _ = await verdict([content, b"never looked at"], configuration(x=[key], y=[key]))
    assert [item.entry for item in found.satisfied] == [
        "verifier-public-key-x",
        "verifier-public-key-y",
    ]
    assert [item.content for item in found.examined] == [content]


async def test_what_is_signed_has_to_be_about_the_digest(signers):
    """A good signature of another release is refused, and the next one is tried."""
    key = signers[0]
    other = await key.sign_message(claim("sha256:" + "cd" * 32))
    good = await key.sign_message(claim())
    found, _ = await verdict([other, b"", good], configuration(x=[key]))
    assert found.accepted
    assert found.causes == ("signature digest does not match", "could not read the message: EOF")
    assert found.satisfied[0].claim.digest == DIGEST


@pytest.mark.parametrize(
    ("digest", "message"),
    [
        ("", "release images that are not accessed via digest cannot be verified"),
        ("latest", 'the provided release image digest has an invalid format: "latest"'),
        ("sha256:\n", 'the provided release image digest has an invalid format: "sha256:\\n"'),
    ],
)
async def test_without_a_digest_nothing_is_looked_for(digest, message, signers):
    """What is no digest is refused before any store is searched."""
    found, store = await verdict([], configuration(x=signers[:1]), digest)
    assert (found.accepted, found.message, store.searches) == (False, message, [])


async def test_without_configuration_nothing_can_be_verified():
    """A payload that says nothing about keys makes every update unverifiable."""
    found, store = await verdict([], None)
    assert found.message == "verification is not possible"
    assert store.searches == []


def test_a_store_that_is_away_is_one_fault():
    """Of nine numbers that were not to be had the first is told, and no end of a search."""
    away = "unable to retrieve signature from http://s.test/x/signature-{}: no connection"
    causes = [
        *map(away.format, range(1, 10)),
        "x: no more signatures to check",
        "invalid signature",
    ]
    assert Verdict(digest=DIGEST, causes=(*causes, causes[-1])).faults == [causes[0], causes[-1]]
