# SPDX-License-Identifier: Apache-2.0
"""Packets, one after another, out of however many layers of compression.

A packet is read as far as its kind needs. When it cannot be read, the rest of it is stepped
over; when it can, what is left of it is read as the next packet, as the clusters' library does.
Kinds that the library does not know are skipped.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable

import msgspec

from okd_payload.signing.openpgp.arithmetic import HashAlgorithm, find_hash
from okd_payload.signing.openpgp.bunzip import Bzip2Stream
from okd_payload.signing.openpgp.faults import (
    Deadly,
    Malformed,
    NoMorePackets,
    OpenPgpError,
    Truncated,
    Unsupported,
)
from okd_payload.signing.openpgp.inflation import Budget, DeflateStream, ZlibStream
from okd_payload.signing.openpgp.keys import (
    OldPublicKey,
    PublicKey,
    is_cipher,
    read_old_public_key,
    read_private_key,
    read_public_key,
    skip_passphrase_parameters,
)
from okd_payload.signing.openpgp.signatures import (
    Algorithm,
    OldSignature,
    Signature,
    read_number,
    read_old_signature,
    read_signature,
    split_area,
)
from okd_payload.signing.openpgp.streams import (
    MemoryStream,
    PartialBody,
    ReadAhead,
    Span,
    Stream,
    read_all,
    read_exactly,
    read_length,
)

MAX_LAYERS = 32
MAX_PACKETS = 100_000
"""A bound on work, which clusters do not have."""
_LARGEST_SESSION_KEY = 64


class OnePass(msgspec.Struct, frozen=True, kw_only=True):
    """Announces a signature that follows the data."""

    kind: int
    hash: HashAlgorithm
    algorithm: int
    key_id: int
    is_last: bool


class Literal(msgspec.Struct, frozen=True):
    """The data itself, not yet read."""

    body: Stream


class Compressed(msgspec.Struct, frozen=True):
    """More packets, not yet read."""

    body: Stream


class UserId(msgspec.Struct, frozen=True):
    """Whom a key belongs to."""

    text: bytes


class SessionKey(msgspec.Struct, frozen=True):
    """Says how an encrypted message could be opened."""

    key_id: int | None
    """Of the key that opens it; None for a passphrase."""
    algorithm: int = 0


class Encrypted(msgspec.Struct, frozen=True):
    """Data that nobody here opens."""


class Attribute(msgspec.Struct, frozen=True):
    """A picture of a key's owner."""


Packet = (
    OnePass
    | Literal
    | Compressed
    | UserId
    | SessionKey
    | Encrypted
    | Attribute
    | Signature
    | OldSignature
    | PublicKey
    | OldPublicKey
)


class PacketReader:
    """The packets of some bytes."""

    def __init__(self, source: Stream) -> None:
        self._sources = [source]
        self._unread: list[Packet] = []
        self._budget = Budget()
        self._left = MAX_PACKETS

    def next(self) -> Packet:
        """The next packet. Raises NoMorePackets at the end, OpenPgpError for a bad one."""
        if self._unread:
            return self._unread.pop()
        while self._sources:
            try:
                packet = self._read(self._sources[-1])
            except NoMorePackets:
                self._sources.pop()
                continue
            if packet is not None:
                return packet
        raise NoMorePackets

    def unread(self, packet: Packet) -> None:
        """Let ``packet`` be the next one again."""
        self._unread.append(packet)

    def enter(self, packet: Compressed) -> None:
        """Go on with the packets inside ``packet``. Raises Malformed when that is too deep."""
        if len(self._sources) >= MAX_LAYERS:
            raise Malformed("too many layers of packets")
        self._sources.append(packet.body)

    def _read(self, source: Stream) -> Packet | None:
        """One packet, None for an unknown kind."""
        self._left -= 1
        if self._left < 0:
            raise OpenPgpError(f"more than {MAX_PACKETS} packets")
        tag, content = _read_header(source)
        try:
            if tag in _VERSIONED:
                ahead = ReadAhead(content)
                content = ahead
                # With nothing in it, it counts as the end of all packets of this layer.
                return _read_versioned(tag, ahead, version=ahead.peek())
            packet = self._read_other(tag, content)
        except NoMorePackets:
            raise
        except OpenPgpError:
            _step_over(content)
            raise
        if packet is None:
            _step_over(content)
        return packet

    def _read_other(self, tag: int, content: Stream) -> Packet | None:
        if tag == _COMPRESSED:
            return self._read_compressed(content)
        reader = _READERS.get(tag)
        return reader(content) if reader else None

    def _read_compressed(self, content: Stream) -> Compressed:
        algorithm = read_exactly(content, 1)[0]
        match algorithm:
            case 1:
                return Compressed(DeflateStream(content, self._budget))
            case 2:
                return Compressed(ZlibStream(content, self._budget))
            case 3:
                return Compressed(Bzip2Stream(content, self._budget))
            case _:
                raise Unsupported(f"unknown compression algorithm: {algorithm}")


_SIGNATURE, _PUBLIC_KEY, _PUBLIC_SUBKEY, _COMPRESSED = 2, 6, 14, 8
_VERSIONED = (_SIGNATURE, _PUBLIC_KEY, _PUBLIC_SUBKEY)


def packets_of(content: bytes) -> PacketReader:
    """A reader of the packets in ``content``."""
    return PacketReader(MemoryStream(content))


def _read_header(source: Stream) -> tuple[int, Stream]:
    """The kind of the next packet, and its content. Raises NoMorePackets at the end."""
    first = source.read(1)
    if not first:
        raise NoMorePackets
    mark = first[0]
    if not mark & 0x80:
        raise Malformed("tag byte does not have MSB set")
    if mark & 0x40:
        length, is_partial = read_length(source)
        return mark & 0x3F, PartialBody(source, length) if is_partial else Span(source, length)
    tag, kind = (mark & 0x3F) >> 2, mark & 3
    if kind == 3:
        return tag, source
    return tag, Span(source, int.from_bytes(read_exactly(source, 1 << kind)))


def _step_over(content: Stream) -> None:
    """Read ``content`` to its end, or as far as it can be read."""
    with contextlib.suppress(OpenPgpError):
        while content.read(4096):
            pass


def _read_versioned(tag: int, content: Stream, *, version: int) -> Packet:
    is_old = version < 4
    if tag == _SIGNATURE:
        return read_old_signature(content) if is_old else read_signature(content)
    if is_old:
        return read_old_public_key(content)
    return read_public_key(content, is_subkey=tag == _PUBLIC_SUBKEY)


def _read_one_pass(content: Stream) -> OnePass:
    data = read_exactly(content, 13)
    function = find_hash(data[2])
    if function is None:
        raise Unsupported(f"hash function: {data[2]}")
    if data[0] != 3:
        raise Unsupported(f"one-pass-signature packet version {data[0]}")
    return OnePass(
        kind=data[1],
        hash=function,
        algorithm=data[3],
        key_id=int.from_bytes(data[4:12]),
        is_last=data[12] != 0,
    )


def _read_literal(content: Stream) -> Literal:
    name_length = read_exactly(content, 2)[1]
    read_exactly(content, name_length)
    read_exactly(content, 4)
    return Literal(content)


def _read_session_key(content: Stream) -> SessionKey:
    head = read_exactly(content, 10)
    if head[0] != 3:
        raise Unsupported(f"unknown EncryptedKey version {head[0]}")
    algorithm = head[9]
    for _ in range(_SESSION_NUMBERS.get(algorithm, 0)):
        read_number(content)
    read_all(content)
    return SessionKey(int.from_bytes(head[1:9]), algorithm)


_SESSION_NUMBERS: dict[int, int] = {
    Algorithm.RSA: 1,
    Algorithm.RSA_ENCRYPT_ONLY: 1,
    Algorithm.ELGAMAL: 2,
}


def _read_passphrase_key(content: Stream) -> SessionKey:
    version, cipher = read_exactly(content, 2)
    if version != 4:
        raise Unsupported("SymmetricKeyEncrypted version")
    if not is_cipher(cipher):
        raise Unsupported(f"unknown cipher: {cipher}")
    skip_passphrase_parameters(content)
    try:
        read_exactly(content, _LARGEST_SESSION_KEY)
    except Truncated:
        return SessionKey(None)
    raise Unsupported("oversized encrypted session key")


def _read_encrypted(content: Stream, *, has_version: bool) -> Encrypted:
    if has_version and read_exactly(content, 1) != b"\1":
        raise Unsupported("unknown SymmetricallyEncrypted version")
    return Encrypted()


def _read_attribute(content: Stream) -> Attribute:
    area = read_all(content)
    if not all(part.content for part in split_area(area, fault="subpacket truncated")):
        raise Deadly("empty subpacket of a user attribute, on which a cluster crashes")
    return Attribute()


def _read_user_id(content: Stream) -> UserId:
    return UserId(read_all(content))


_READERS: dict[int, Callable[[Stream], Packet]] = {
    1: _read_session_key,
    3: _read_passphrase_key,
    4: _read_one_pass,
    5: functools.partial(read_private_key, is_subkey=False),
    7: functools.partial(read_private_key, is_subkey=True),
    9: functools.partial(_read_encrypted, has_version=False),
    11: _read_literal,
    13: _read_user_id,
    17: _read_attribute,
    18: functools.partial(_read_encrypted, has_version=True),
}
