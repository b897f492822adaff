# SPDX-License-Identifier: Apache-2.0
"""Keys in files: which of them sign, and what is said of those that do not."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import Cert, Sig, verify
from pysequoia.packet import PacketPile, Tag

from okd_payload.errors import InvalidDocument, OkdPayloadError, SigningError
from okd_payload.signing.key_file import open_key_file, read_secret_key
from okd_payload.testing.memory_signer import MemorySigner


@pytest.fixture(scope="module")
def key():
    """A key, made once."""
    return MemorySigner()


def trusting(signer):
    """A store with the key of ``signer``, as pysequoia asks for."""
    return lambda _: [Cert.from_bytes(signer.public_key)]


async def test_a_message_holds_its_content(key, tmp_path):
    """A message is binary: one-pass packet, content, signature; and it verifies."""
    path = tmp_path / "key.asc"
    path.write_bytes(key.secret_key)
    message = await open_key_file(path).sign_message(b"claim")
    tags = [packet.tag for packet in PacketPile.from_bytes(message)]
    assert tags == [Tag.OnePassSig, Tag.Literal, Tag.Signature]
    assert verify(message, store=trusting(key)).bytes == b"claim"


async def test_a_detached_signature_is_armoured(key):
    """What people put beside checksums is text, and does not hold the checksums."""
    signature = await key.sign_detached(b"sums")
    assert signature.startswith(b"-----BEGIN PGP SIGNATURE-----\n")
    verified = verify(b"sums", store=trusting(key), signature=Sig.from_bytes(signature))
    assert len(verified.valid_sigs) == 1


def test_a_public_key_is_no_secret(key):
    """The public key that a signer shows has no secret in it, and is the same key."""
    read = read_secret_key(key.secret_key, path="key.asc")
    tags = [packet.tag for packet in PacketPile.from_bytes(read.public_key)]
    assert Tag.SecretKey not in tags
    assert Cert.from_bytes(read.public_key).fingerprint.upper() == read.fingerprint
    assert read.fingerprint == key.fingerprint


def test_a_public_key_cannot_sign(key):
    """Whoever gives the public half by mistake is told, with what to do."""
    with pytest.raises(InvalidDocument, match="a public key only") as caught:
        read_secret_key(key.public_key, path="key.asc")
    assert "--export-secret-keys" in caught.value.hint


def test_two_keys_in_a_file_are_refused(key):
    """Which of two keys signs is nothing to guess."""
    from pysequoia import Tsk

    both = bytes(Tsk.from_bytes(key.secret_key)) + bytes(
        Tsk.from_bytes(MemorySigner("Other").secret_key)
    )
    with pytest.raises(InvalidDocument, match="not one OpenPGP key"):
        read_secret_key(both, path="keys.gpg")


def test_an_expired_key_does_not_sign(key):
    """A key after its end signs nothing, and the end is said."""
    from pysequoia import Tsk

    whole = Tsk.from_bytes(key.secret_key)
    end = datetime.now(UTC) - timedelta(seconds=1)
    changed = whole.extract_certificate().set_expiration(end, whole.certifier())
    packets = [*PacketPile.from_bytes(key.secret_key)]
    packets += list(PacketPile.from_bytes(bytes(changed)))[1:]
    expired = bytes(Tsk.from_packets(packets))
    with pytest.raises(SigningError, match=f"it expired at {end:%Y-%m-%d}"):
        read_secret_key(expired, path="key.asc")


def test_an_absent_file_is_an_input_error(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(InvalidDocument, match=r"absent\.asc: No such file"):
        open_key_file(tmp_path / "absent.asc")


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused(content):
    """No bytes make anything but a key or an error of ours."""
    with pytest.raises(OkdPayloadError):
        read_secret_key(content, path="key")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_damaged_keys_are_refused_or_sign(key, position, change):
    """A flipped byte gives an error of ours, or a key that still is one."""
    from pysequoia import Tsk

    content = bytearray(bytes(Tsk.from_bytes(key.secret_key)))
    content[position % len(content)] ^= change
    with contextlib.suppress(OkdPayloadError):
        assert len(read_secret_key(bytes(content), path="key").fingerprint) in (40, 64)
