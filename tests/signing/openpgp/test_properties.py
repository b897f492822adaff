# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes come, OpenPGP is read, or refused with an error of ours."""

from __future__ import annotations

import bz2
import random
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from okd_payload.signing.openpgp.bunzip import Bzip2Stream
from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.inflation import Budget, DeflateStream, ZlibStream
from okd_payload.signing.openpgp.keyring import KeyRing, read_key_ring
from okd_payload.signing.openpgp.message import MessageRefused, open_message
from okd_payload.signing.openpgp.outline import read_outline
from okd_payload.signing.openpgp.streams import MemoryStream, read_all
from okd_payload.testing.memory_signer import MemorySigner

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def signer():
    """A key, made once."""
    return MemorySigner()


@pytest.fixture(scope="module")
def ring(signer):
    """The ring with that key alone."""
    return read_key_ring(signer.public_key)


@pytest.fixture
async def message(signer):
    """Something signed with it."""
    return await signer.sign_message(b'{"critical": {}}')


def _packet(tag, body):
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4) + body


packets = st.builds(_packet, st.integers(0, 63), st.binary(max_size=80))
"""Packets of any kind with any content."""


def _assert_told(error, start=""):
    """The error says something, which may have to begin with ``start``."""
    assert error.message.startswith(start)
    assert error.message


def _read_everything(content, ring):
    """All that this package does with foreign bytes."""
    with pytest.raises(MessageRefused):
        open_message(content, ring, now=NOW)
    read_outline(content)
    try:
        read_key_ring(content)
    except OpenPgpError as error:
        _assert_told(error)


@_MANY
@given(st.one_of(st.binary(max_size=200), st.lists(packets, max_size=6).map(b"".join)))
@example(b"")
@example(b"\xc2\x00")
@example(b"\x8b" * 64)
def test_any_bytes(ring, content):
    """Random bytes and random packets are refused, and nothing else happens."""
    _read_everything(content, ring)


@_MANY
@given(st.data())
async def test_damaged_messages(ring, message, data):
    """A message in which bytes were changed, cut out or put in is refused, or says the same."""
    damaged = _damage(message, data)
    read_outline(damaged)
    try:
        opened = open_message(damaged, ring, now=datetime.now(UTC))
    except MessageRefused as refusal:
        _assert_told(refusal)
    else:
        assert opened.content == b'{"critical": {}}'


@_MANY
@given(st.data())
def test_damaged_rings(signer, data):
    """A ring in which bytes were changed, cut out or put in is loaded, or refused with a cause."""
    damaged = _damage(signer.public_key, data)
    try:
        loaded = read_key_ring(damaged)
    except OpenPgpError as error:
        _assert_told(error, "unable to read keyring with armor (")
    else:
        assert {item.primary.fingerprint for item in loaded.certificates} <= {signer.fingerprint}


def _damage(content, data):
    start = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 3))
    patch = data.draw(st.binary(max_size=3))
    return content[:start] + patch + content[start + length :]


@pytest.mark.parametrize(
    ("stream", "compress"),
    [
        (DeflateStream, lambda data: zlib.compress(data, wbits=-15)),
        (ZlibStream, zlib.compress),
        (Bzip2Stream, bz2.compress),
    ],
    ids=["deflate", "zlib", "bzip2"],
)
@given(content=st.binary(max_size=3000), data=st.data())
def test_inflating_what_is_damaged(stream, compress, content, data):
    """What comes before the damage is delivered, the damage is told, and told again."""
    compressed = compress(content)
    end = data.draw(st.integers(0, len(compressed) - 1))
    delivered = b""
    with pytest.raises(OpenPgpError) as first:
        source = stream(MemoryStream(compressed[:end]), Budget())
        while piece := source.read(100):
            delivered += piece
    assert content.startswith(delivered)
    assert str(first.value) == "unexpected EOF"
    if delivered:
        with pytest.raises(OpenPgpError, match="unexpected EOF"):
            source.read(1)


@given(content=st.binary(max_size=3000), data=st.data())
def test_inflating_gives_all_before_a_wrong_sum(content, data):
    """A wrong check sum is told when everything was delivered, and not before."""
    compressed = bytearray(bz2.compress(content + b"."))
    compressed[10 + data.draw(st.integers(0, 3))] ^= 1 << data.draw(st.integers(0, 7))
    source = Bzip2Stream(MemoryStream(bytes(compressed)), Budget())
    delivered = b""
    with pytest.raises(OpenPgpError, match="bzip2 data invalid"):
        while piece := source.read(100):
            delivered += piece
    assert delivered == content + b"."


def test_inflating_gives_blocks_before_a_damaged_one():
    """Damage in the second block of bzip2 leaves what the first one had."""
    content = random.Random(1).randbytes(150_000)
    compressed = bytearray(bz2.compress(content, compresslevel=1))
    compressed[-5_000] ^= 1
    source = Bzip2Stream(MemoryStream(bytes(compressed)), Budget())
    delivered = b""
    with pytest.raises(OpenPgpError, match="bzip2 data invalid"):
        while piece := source.read(5000):
            delivered += piece
    assert delivered[:90_000] == content[:90_000]


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_what_follows_compressed_data_is_left(content, rest):
    """A stream in memory goes on right behind the compressed data."""
    source = MemoryStream(zlib.compress(content, wbits=-15) + rest)
    assert read_all(DeflateStream(source, Budget())) == content
    assert read_all(source) == rest


def test_bombs_are_defused():
    """What inflates to more than the bound is refused before it fills the memory."""
    bomb = zlib.compress(b"\0" * 1_000_000)
    with pytest.raises(OpenPgpError, match="inflates to more than"):
        read_all(ZlibStream(MemoryStream(bomb), Budget(100_000)))


def test_nesting_is_bounded(ring):
    """Signatures inside signatures inside signatures end in an error, not in the stack."""
    packet = b""
    for _ in range(300):
        area = b"\x05\x02\0\0\0\0" + b"\xff" + (len(packet) + 1).to_bytes(4) + b"\x20" + packet
        packet = b"\x04\x19\x01\x08" + len(area).to_bytes(2) + area + b"\0\0\0\0\0\0"
    _read_everything(_packet(2, packet), ring)
    with pytest.raises(OpenPgpError, match="too many signatures inside each other"):
        read_key_ring(_packet(2, packet))


def test_empty_packets_end(ring):
    """A million packets of nothing are not read to the end."""
    content = b"\xff\x00" * 200_000
    with pytest.raises(MessageRefused, match="more than 100000 packets"):
        open_message(content, ring, now=NOW)


def test_an_empty_ring_has_no_keys():
    """An empty entry of a ConfigMap is a ring that nothing satisfies."""
    assert read_key_ring(b"") == KeyRing()
