# SPDX-License-Identifier: Apache-2.0
"""Signed messages: what they say, and who signed them, in the eyes of a cluster.

The one-pass packet decides which key is tried, with which hash, and whether line ends are
evened out; what the signature says about these is not compared. What follows the signature is
not read. A signature of several keys in one message is refused, and so is encryption.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from okd_payload.signing.openpgp.faults import (
    Malformed,
    NoKey,
    OpenPgpError,
    Unsupported,
)
from okd_payload.signing.openpgp.keyring import KeyRing, SigningKey
from okd_payload.signing.openpgp.packets import (
    Compressed,
    Encrypted,
    Literal,
    OnePass,
    PacketReader,
    SessionKey,
    packets_of,
)
from okd_payload.signing.openpgp.signatures import (
    Algorithm,
    OldSignature,
    Signature,
    SignatureType,
)
from okd_payload.signing.openpgp.streams import read_all

_LINE_END = re.compile(rb"\r.|\n", re.DOTALL)
_FOR_ENCRYPTION = (Algorithm.RSA, Algorithm.RSA_ENCRYPT_ONLY, Algorithm.ELGAMAL, Algorithm.ECDH)


class SignedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message whose signature is good."""

    content: bytes
    signer: SigningKey
    signature: Signature | OldSignature


class MessageRefused(OpenPgpError):
    """A message that a cluster does not take, and why in its words."""


def open_message(message: bytes, ring: KeyRing, *, now: datetime) -> SignedMessage:
    """What ``message`` says, when a key of ``ring`` signed it. Raises MessageRefused."""
    packets = packets_of(message)
    try:
        opening = _read_opening(packets, ring)
    except OpenPgpError as fault:
        raise MessageRefused(f"could not read the message: {fault}") from fault
    if opening.announced is None:
        raise MessageRefused("not signed")
    try:
        content = read_all(opening.literal.body)
    except OpenPgpError as fault:
        raise MessageRefused(str(fault)) from fault
    if opening.signer is None:
        raise MessageRefused("invalid signature")
    try:
        signature = _check_signature(packets, opening.signer, opening.announced, content)
    except OpenPgpError as fault:
        raise MessageRefused(f"signature error: {fault}") from fault
    _check_lifetime(signature, now)
    return SignedMessage(content=content, signer=opening.signer, signature=signature)


class _Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What comes before the data."""

    announced: OnePass | None
    signer: SigningKey | None
    literal: Literal


def _read_opening(packets: PacketReader, ring: KeyRing) -> _Opening:
    _step_over_session_keys(packets, ring)
    announced: OnePass | None = None
    signer: SigningKey | None = None
    while True:
        match packet := packets.next():
            case Compressed():
                packets.enter(packet)
            case OnePass():
                _check_announcement(packet)
                announced = packet
                signer = ring.find_signer(packet.key_id) or signer
            case Literal():
                return _Opening(announced=announced, signer=signer, literal=packet)
            case _:
                pass


def _step_over_session_keys(packets: PacketReader, ring: KeyRing) -> None:
    """Go to the first packet of the message proper. Raises OpenPgpError when it is encrypted."""
    has_key = False
    while True:
        match packet := packets.next():
            case SessionKey(key_id=None):
                has_key = True
            case SessionKey(key_id=int(key_id), algorithm=algorithm):
                # Key id 0 means any private key of the ring.
                has_key |= algorithm in _FOR_ENCRYPTION and bool(key_id and ring.find(key_id))
            case Encrypted():
                raise NoKey("incorrect key")
            case Compressed() | Literal() | OnePass():
                if has_key:
                    raise Malformed("key material not followed by encrypted message")
                packets.unread(packet)
                return
            case _:
                pass


def _check_announcement(packet: OnePass) -> None:
    if not packet.is_last:
        raise Unsupported("nested signatures")
    if not packet.hash.is_available:
        raise Unsupported(f"hash not available: {packet.hash.go_number}")
    if packet.kind not in (SignatureType.BINARY, SignatureType.TEXT):
        raise Unsupported(f"unsupported signature type: {packet.kind}")


def _check_signature(
    packets: PacketReader, signer: SigningKey, announced: OnePass, content: bytes
) -> Signature | OldSignature:
    packet = packets.next()
    if not isinstance(packet, Signature | OldSignature):
        raise Malformed("LiteralData not followed by Signature")
    if announced.kind == SignatureType.TEXT:
        content = _LINE_END.sub(lambda end: b"\r\n" if end[0] == b"\n" else end[0], content)
    signer.key.verify(packet, announced.hash, content)
    return packet


def _check_lifetime(signature: Signature | OldSignature, now: datetime) -> None:
    if isinstance(signature, OldSignature) or signature.lifetime is None:
        return
    created = datetime.fromtimestamp(signature.created or 0, UTC)
    end = created + timedelta(seconds=signature.lifetime)
    if now > end:
        raise MessageRefused(f"signature expired on {end:%Y-%m-%d %H:%M:%S} +0000 UTC")
