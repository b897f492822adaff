# SPDX-License-Identifier: Apache-2.0
"""Signature packets of version 4 and of the versions before it.

Sub-packets that nobody of us asks for are stepped over; an unknown one that is marked as
critical makes the whole signature unsupported, wherever it stands. Times and flags count only
in the hashed area. What follows the numbers is not looked at.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from okd_payload.signing.openpgp.arithmetic import HashAlgorithm, find_hash
from okd_payload.signing.openpgp.faults import Malformed, Unsupported
from okd_payload.signing.openpgp.streams import MemoryStream, Stream, read_exactly


class Algorithm(enum.IntEnum):
    """Public key algorithms by their number in packets."""

    RSA = 1
    RSA_ENCRYPT_ONLY = 2
    RSA_SIGN_ONLY = 3
    ELGAMAL = 16
    DSA = 17
    ECDH = 18
    ECDSA = 19


class SignatureType(enum.IntEnum):
    """What a signature is over, as far as it matters here."""

    BINARY = 0x00
    TEXT = 0x01
    GENERIC_CERTIFICATION = 0x10
    POSITIVE_CERTIFICATION = 0x13
    SUBKEY_BINDING = 0x18
    PRIMARY_KEY_BINDING = 0x19
    DIRECT_KEY = 0x1F
    KEY_REVOCATION = 0x20
    SUBKEY_REVOCATION = 0x28


class Signature(msgspec.Struct, kw_only=True):
    """A signature of version 4; written once, while it is read."""

    kind: int
    algorithm: int
    hash: HashAlgorithm
    suffix: bytes
    """What is hashed after the data."""
    tag: bytes = b""
    """The first two bytes of the hash."""
    numbers: tuple[bytes, ...] = ()
    created: int | None = None
    lifetime: int | None = None
    """Seconds until the signature expires."""
    key_lifetime: int | None = None
    """Seconds until the key expires that this signature is about."""
    issuer: int | None = None
    is_primary_identity: bool = False
    flags: int | None = None
    """What the key may be used for; None when nothing is said."""
    revocation_reason: int | None = None
    embedded: Signature | None = None
    depth: int = 0
    """How many signatures it is embedded in."""

    @property
    def may_sign(self) -> bool | None:
        """Whether the key may make signatures; None when nothing is said."""
        return None if self.flags is None else bool(self.flags & _MAY_SIGN)


class OldSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature of version 2 or 3."""

    kind: int
    created: int
    issuer: int
    algorithm: int
    hash: HashAlgorithm
    tag: bytes
    numbers: tuple[bytes, ...]

    @property
    def suffix(self) -> bytes:
        """What is hashed after the data."""
        return bytes([self.kind]) + self.created.to_bytes(4)


_MAY_SIGN = 0x02
_MAX_DEPTH = 8
_NUMBERS: dict[int, int] = {
    Algorithm.RSA: 1,
    Algorithm.RSA_SIGN_ONLY: 1,
    Algorithm.DSA: 2,
    Algorithm.ECDSA: 2,
}
"""How many numbers a signature of each algorithm has."""


def read_number(source: Stream) -> bytes:
    """A multi-precision integer without its length. Raises Truncated."""
    bits = int.from_bytes(read_exactly(source, 2))
    return read_exactly(source, (bits + 7) // 8)


def read_signature(source: Stream, *, depth: int = 0) -> Signature:
    """A signature of version 4; ``depth`` counts those around it. Raises OpenPgpError."""
    if depth > _MAX_DEPTH:
        raise Malformed("too many signatures inside each other")
    version = read_exactly(source, 1)[0]
    if version != 4:
        raise Unsupported(f"signature packet version {version}")
    head = read_exactly(source, 5)
    kind, algorithm, hash_number = head[:3]
    count = _count_numbers(algorithm, _NUMBERS)
    function = _find_hash(hash_number)
    hashed = read_exactly(source, int.from_bytes(head[3:]))
    body = bytes([version]) + head + hashed
    signature = Signature(
        kind=kind,
        algorithm=algorithm,
        hash=function,
        suffix=body + b"\x04\xff" + len(body).to_bytes(4),
        depth=depth,
    )
    _read_area(signature, hashed, is_hashed=True)
    unhashed = read_exactly(source, int.from_bytes(read_exactly(source, 2)))
    _read_area(signature, unhashed, is_hashed=False)
    signature.tag = read_exactly(source, 2)
    signature.numbers = tuple(read_number(source) for _ in range(count))
    return signature


def read_old_signature(source: Stream) -> OldSignature:
    """A signature of version 2 or 3. Raises OpenPgpError."""
    version = read_exactly(source, 1)[0]
    if version not in (2, 3):
        raise Unsupported(f"signature packet version {version}")
    length = read_exactly(source, 1)[0]
    if length != 5:
        raise Unsupported(f"invalid hashed material length {length}")
    hashed = read_exactly(source, 5)
    issuer = read_exactly(source, 8)
    algorithm, hash_number = read_exactly(source, 2)
    count = _count_numbers(algorithm, _OLD_NUMBERS)
    return OldSignature(
        kind=hashed[0],
        created=int.from_bytes(hashed[1:]),
        issuer=int.from_bytes(issuer),
        algorithm=algorithm,
        hash=_find_hash(hash_number),
        tag=read_exactly(source, 2),
        numbers=tuple(read_number(source) for _ in range(count)),
    )


_OLD_NUMBERS = {key: count for key, count in _NUMBERS.items() if key != Algorithm.ECDSA}


def _count_numbers(algorithm: int, known: dict[int, int]) -> int:
    if algorithm not in known:
        raise Unsupported(f"public key algorithm {algorithm}")
    return known[algorithm]


def _find_hash(number: int) -> HashAlgorithm:
    function = find_hash(number)
    if function is None:
        raise Unsupported(f"hash function {number}")
    return function


class Subpacket(NamedTuple):
    """One piece of what is said besides; its first byte is its kind."""

    content: bytes

    @property
    def kind(self) -> int:
        """Its number."""
        return self.content[0] & 0x7F

    @property
    def is_critical(self) -> bool:
        """Whether the signature is void for those who do not know this kind."""
        return bool(self.content[0] & 0x80)


def split_area(area: bytes, *, fault: str) -> Iterator[Subpacket]:
    """The sub-packets of ``area``, empty ones too. Raises Malformed with ``fault``."""
    place = 0
    while place < len(area):
        first = area[place]
        width = 1 if first < 192 else 2 if first < 255 else 5
        if place + width > len(area):
            raise Malformed(fault)
        if width == 1:
            length = first
        elif width == 2:
            length = ((first - 192) << 8) + area[place + 1] + 192
        else:
            length = int.from_bytes(area[place + 1 : place + 5])
        place += width
        if place + length > len(area):
            raise Malformed(fault)
        yield Subpacket(area[place : place + length])
        place += length


def _read_area(signature: Signature, area: bytes, *, is_hashed: bool) -> None:
    for subpacket in split_area(area, fault="signature subpacket truncated"):
        if not subpacket.content:
            raise Malformed("zero length signature subpacket")
        kind, value = subpacket.kind, subpacket.content[1:]
        if kind in _ANYWHERE:
            _ANYWHERE[kind](signature, value)
        elif kind in _HASHED_ONLY:
            if is_hashed:
                _HASHED_ONLY[kind](signature, value)
            elif kind == _CREATION_TIME:
                raise Malformed("signature creation time in non-hashed area")
        elif subpacket.is_critical:
            raise Unsupported(f"unknown critical signature subpacket type {kind}")
    if signature.created is None:
        raise Malformed("no creation time in signature")


def _sized(content: bytes, size: int, fault: str) -> bytes:
    if len(content) != size:
        raise Malformed(fault)
    return content


def _some(content: bytes, fault: str) -> bytes:
    if not content:
        raise Malformed(fault)
    return content


def _take_creation(signature: Signature, content: bytes) -> None:
    fault = "signature creation time not four bytes"
    signature.created = int.from_bytes(_sized(content, 4, fault))


def _take_lifetime(signature: Signature, content: bytes) -> None:
    fault = "expiration subpacket with bad length"
    signature.lifetime = int.from_bytes(_sized(content, 4, fault))


def _take_key_lifetime(signature: Signature, content: bytes) -> None:
    fault = "key expiration subpacket with bad length"
    signature.key_lifetime = int.from_bytes(_sized(content, 4, fault))


def _take_issuer(signature: Signature, content: bytes) -> None:
    signature.issuer = int.from_bytes(_sized(content, 8, "issuer subpacket with bad length"))


def _take_primary(signature: Signature, content: bytes) -> None:
    fault = "primary user id subpacket with bad length"
    signature.is_primary_identity = _sized(content, 1, fault) != b"\0"


def _take_flags(signature: Signature, content: bytes) -> None:
    first = _some(content, "empty key flags subpacket")[0]
    signature.flags = (signature.flags or 0) | first


def _take_reason(signature: Signature, content: bytes) -> None:
    signature.revocation_reason = _some(content, "empty revocation reason subpacket")[0]


def _take_embedded(signature: Signature, content: bytes) -> None:
    if signature.embedded is not None:
        raise Malformed("Cannot have multiple embedded signatures")
    signature.embedded = embedded = read_signature(MemoryStream(content), depth=signature.depth + 1)
    if embedded.kind != SignatureType.PRIMARY_KEY_BINDING:
        raise Malformed(f"cross-signature has unexpected type {embedded.kind}")


def _step_over(signature: Signature, content: bytes) -> None:
    """Preferences of the key's owner, which a verifier does not need."""
    del signature, content


_Taker = Callable[[Signature, bytes], None]
_CREATION_TIME = 2
_HASHED_ONLY: dict[int, _Taker] = {
    _CREATION_TIME: _take_creation,
    3: _take_lifetime,
    9: _take_key_lifetime,
    11: _step_over,
    21: _step_over,
    22: _step_over,
    25: _take_primary,
    27: _take_flags,
    29: _take_reason,
}
_ANYWHERE: dict[int, _Taker] = {16: _take_issuer, 30: _step_over, 32: _take_embedded}
