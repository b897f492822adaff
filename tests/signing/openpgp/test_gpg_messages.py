# SPDX-License-Identifier: Apache-2.0
"""What gpg makes is read as clusters read it: keys of all kinds, and messages of all forms."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.keyring import read_key_ring
from okd_payload.signing.openpgp.message import MessageRefused, open_message
from okd_payload.testing.gnupg_home import gnupg_home

pytestmark = pytest.mark.integration

CONTENT = b'{"critical": {}}\nline\r\nend'


@pytest.fixture(scope="module")
def gpg():
    """A home without keys."""
    with gnupg_home() as home:
        yield home


@pytest.fixture(scope="module")
def rsa(gpg):
    """The fingerprint of an RSA key."""
    return gpg.make_key("rsa@example.com")


def opened(message, ring):
    """What the message says."""
    return open_message(message, ring, now=datetime.now(UTC)).content


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--compress-algo", "none"],
        ["--compress-algo", "zip"],
        ["--compress-algo", "zlib"],
        ["--compress-algo", "bzip2"],
        ["--textmode"],
        ["--digest-algo", "SHA512"],
        ["--digest-algo", "SHA1", "--allow-weak-digest-algos"],
        ["--set-notation", "note@example.com=x"],
        ["--for-your-eyes-only"],
        ["--set-filename", "claim.json"],
    ],
    ids=" ".join,
)
def test_messages_that_are_taken(options, gpg, rsa):
    """All forms in which gpg writes a signed message are read."""
    ring = read_key_ring(gpg.run("--armor", "--export", rsa))
    message = gpg.run("--local-user", rsa, *options, "--sign", content=CONTENT)
    assert opened(message, ring).replace(b"\r\n", b"\n") == CONTENT.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    "options",
    [
        ["--armor", "--sign"],
        ["--clear-sign"],
        ["--detach-sign"],
        ["--cert-notation", "n@example.com=x", "--sig-notation", "!n@example.com=x", "--sign"],
        ["--store"],
    ],
    ids=" ".join,
)
def test_messages_that_are_refused(options, gpg, rsa):
    """Other forms, and what is not signed at all, are refused."""
    ring = read_key_ring(gpg.run("--armor", "--export", rsa))
    message = gpg.run("--local-user", rsa, *options, content=CONTENT)
    with pytest.raises(MessageRefused):
        opened(message, ring)


def test_two_signers_at_once_are_refused(gpg, rsa):
    """One message, two keys: clusters refuse it, whichever of them they trust."""
    other = gpg.make_key("second@example.com")
    message = gpg.run("--local-user", rsa, "--local-user", other, "--sign", content=CONTENT)
    ring = read_key_ring(gpg.run("--armor", "--export", rsa, other))
    assert len(ring.certificates) == 2
    with pytest.raises(MessageRefused, match="nested signatures"):
        opened(message, ring)


@pytest.mark.parametrize("algorithm", ["rsa1024", "dsa2048", "nistp256", "nistp384", "nistp521"])
def test_kinds_of_keys_that_are_taken(algorithm, gpg):
    """RSA, DSA and ECDSA over NIST curves verify."""
    name = gpg.make_key(f"{algorithm}@example.com", algorithm=algorithm)
    ring = read_key_ring(gpg.run("--armor", "--export", name))
    assert opened(gpg.run("--local-user", name, "--sign", content=CONTENT), ring) == CONTENT


@pytest.mark.parametrize("algorithm", ["ed25519", "brainpoolP256r1", "secp256k1"])
def test_kinds_of_keys_that_are_not(algorithm, gpg):
    """A ring with another kind of key alone cannot be loaded."""
    name = gpg.make_key(f"{algorithm}@example.com", algorithm=algorithm)
    with pytest.raises(OpenPgpError, match="unsupported feature"):
        read_key_ring(gpg.run("--armor", "--export", name))


def test_sub_keys_revocations_and_user_ids(gpg):
    """A sub-key signs for its primary key until it is revoked, with any number of user ids."""
    name = gpg.make_key("main@example.com")
    without_passphrase = ("--pinentry-mode", "loopback", "--passphrase", "")
    gpg.run(*without_passphrase, "--quick-add-key", name, "rsa2048", "sign", "never")
    gpg.run(*without_passphrase, "--quick-add-uid", name, "other@example.com")
    message = gpg.run("--local-user", name, "--sign", content=CONTENT)
    ring = read_key_ring(gpg.run("--export", name))
    certificate = ring.certificates[0]
    found = open_message(message, ring, now=datetime.now(UTC))
    assert found.signer.key == certificate.subkeys[0].key
    assert sorted(certificate.identities) == ["main@example.com", "other@example.com"]
    gpg.run(
        "--command-fd",
        "0",
        "--edit-key",
        name,
        "key 1",
        "revkey",
        "save",
        content=b"y\n0\n\ny\n",
    )
    with pytest.raises(MessageRefused, match="invalid signature"):
        opened(message, read_key_ring(gpg.run("--export", name)))
