# SPDX-License-Identifier: Apache-2.0
"""Key rings as clusters read them, with all that they lose on the way.

A certificate is a primary key with its user ids, their self-signatures and its sub-keys. When
one cannot be read because something in it is unsupported or malformed, it is dropped, and the
reader goes to the next public key. But the end of a certificate is only seen in the first
packet of the next one: when that packet is an unsupported key, the certificate before it is
dropped. A ring from which everything was dropped cannot be loaded; an empty ring can.
"""

from __future__ import annotations

import msgspec

from okd_payload.signing.openpgp.armour import find_block
from okd_payload.signing.openpgp.faults import (
    Deadly,
    Malformed,
    NoMorePackets,
    OpenPgpError,
    Unfit,
    Unsupported,
)
from okd_payload.signing.openpgp.keys import PublicKey
from okd_payload.signing.openpgp.packets import PacketReader, UserId
from okd_payload.signing.openpgp.signatures import Signature, SignatureType
from okd_payload.signing.openpgp.streams import MemoryStream

_KEY_BLOCKS = ("PGP PUBLIC KEY BLOCK", "PGP PRIVATE KEY BLOCK")
_IDENTITY_TYPES = (SignatureType.GENERIC_CERTIFICATION, SignatureType.POSITIVE_CERTIFICATION)


class Subkey(msgspec.Struct, frozen=True):
    """A sub-key, and the signature that decides about it."""

    key: PublicKey
    signature: Signature


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A primary key and what belongs to it."""

    primary: PublicKey
    identities: dict[str, Signature]
    """The last self-signature of each user id."""
    subkeys: tuple[Subkey, ...]
    is_revoked: bool
    overlooked: tuple[Signature, ...] = ()
    """Revocations that stand where clusters do not look for them; nobody verified them."""

    def overlooks_revocation(self) -> bool:
        """Whether the primary key was revoked in a place where clusters do not look."""
        return any(_is_revocation(self.primary, item) for item in self.overlooked)


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a ring, with everything that says something about its use."""

    key: PublicKey
    certificate: Certificate
    statements: tuple[Signature, ...]
    """The self-signatures that may decide: the primary user id's, or all where none is."""

    @property
    def is_revoked(self) -> bool:
        """Whether it or its primary key was revoked, in the eyes of a cluster."""
        return self.certificate.is_revoked or any(
            statement.revocation_reason is not None for statement in self.statements
        )

    @property
    def may_sign(self) -> bool:
        """Whether a cluster takes its signatures.

        Where no user id is the primary one, a cluster picks a self-signature at random; what
        only some of them allow is not allowed here.
        """
        return not self.is_revoked and all(
            statement.may_sign is not False for statement in self.statements
        )


class DroppedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that the ring lost, and why."""

    fingerprint: str
    """Of the primary key, empty when even that could not be read."""
    cause: str


class KeyRing(msgspec.Struct, frozen=True, kw_only=True):
    """The certificates of a ring, in their order."""

    certificates: tuple[Certificate, ...] = ()
    dropped: tuple[DroppedKeys, ...] = ()

    def find(self, key_id: int) -> list[SigningKey]:
        """The keys with this id, whether they may sign or not."""
        return [key for item in self.certificates for key in _keys_of(item, key_id)]

    def find_signer(self, key_id: int) -> SigningKey | None:
        """The first key with this id that may sign."""
        return next((key for key in self.find(key_id) if key.may_sign), None)


def read_key_ring(content: bytes) -> KeyRing:
    """The ring in ``content``, with armour or without. Raises OpenPgpError."""
    try:
        block = find_block(content)
        if block.kind not in _KEY_BLOCKS:
            raise Unfit(f"expected public or private key block, got: {block.kind}")
        return _read_ring(PacketReader(block.body))
    except OpenPgpError as armoured:
        try:
            return _read_ring(PacketReader(MemoryStream(content)))
        except OpenPgpError as plain:
            raise OpenPgpError(
                f"unable to read keyring with armor ({armoured}) or without armor ({plain})"
            ) from armoured


def _read_ring(packets: PacketReader) -> KeyRing:
    certificates: list[Certificate] = []
    dropped: list[DroppedKeys] = []
    last: OpenPgpError | None = None
    while True:
        reading = _CertificateReader(packets)
        try:
            certificates.append(reading.read())
        except NoMorePackets:
            break
        except (Unsupported, Malformed) as fault:
            last = fault
            dropped.append(DroppedKeys(fingerprint=reading.fingerprint, cause=str(fault)))
            try:
                _go_to_next_key(packets)
            except NoMorePackets:
                break
    if not certificates and last is not None:
        raise last
    return KeyRing(certificates=tuple(certificates), dropped=tuple(dropped))


def _go_to_next_key(packets: PacketReader) -> None:
    """Step over packets up to the next primary key. Raises OpenPgpError."""
    while True:
        try:
            packet = packets.next()
        except Unsupported:
            continue
        if isinstance(packet, PublicKey) and not packet.is_subkey and not packet.is_private:
            packets.unread(packet)
            return


class _CertificateReader:
    """Reads one certificate, up to the first packet of the next."""

    def __init__(self, packets: PacketReader) -> None:
        self._packets = packets
        self._identities: dict[str, Signature] = {}
        self._subkeys: list[Subkey] = []
        self._revocations: list[Signature] = []
        self._overlooked: list[Signature] = []
        self.fingerprint = ""

    def read(self) -> Certificate:
        """The certificate. Raises NoMorePackets where there is none, OpenPgpError for a bad one."""
        primary = self._read_primary()
        while True:
            try:
                packet = self._packets.next()
            except NoMorePackets:
                break
            match packet:
                case UserId():
                    self._read_identity(primary, packet.text)
                case Signature(kind=SignatureType.KEY_REVOCATION):
                    self._revocations.append(packet)
                case PublicKey(is_subkey=True):
                    self._read_subkey(primary, packet)
                case PublicKey():
                    self._packets.unread(packet)
                    break
                case _:
                    pass
        if not self._identities:
            raise Malformed("entity without any identities")
        for revocation in self._revocations:
            self._check_revocation(primary, revocation)
        return Certificate(
            primary=primary,
            identities=self._identities,
            subkeys=tuple(self._subkeys),
            is_revoked=bool(self._revocations),
            overlooked=tuple(self._overlooked),
        )

    def _read_primary(self) -> PublicKey:
        packet = self._packets.next()
        if not isinstance(packet, PublicKey):
            self._packets.unread(packet)
            raise Malformed("first packet was not a public/private key")
        self.fingerprint = packet.fingerprint
        if not packet.can_sign:
            raise Malformed("primary key cannot be used for signatures")
        return packet

    def _next_signature(self) -> Signature | None:
        """The next packet when it is a signature, None for any other, and at the end."""
        try:
            packet = self._packets.next()
        except NoMorePackets:
            return None
        if isinstance(packet, Signature):
            return packet
        self._packets.unread(packet)
        return None

    def _read_identity(self, primary: PublicKey, text: bytes) -> None:
        while (signature := self._next_signature()) is not None:
            if signature.kind in _IDENTITY_TYPES and signature.issuer == primary.key_id:
                data = b"\xb4" + (len(text) & 0xFFFFFFFF).to_bytes(4) + text
                try:
                    _verify(primary, signature, primary.for_hash, data)
                except OpenPgpError as fault:
                    raise Malformed(f"user ID self-signature invalid: {fault}") from fault
                self._identities[text.decode(errors="surrogateescape")] = signature
            elif signature.kind == SignatureType.KEY_REVOCATION:
                self._overlooked.append(signature)

    def _read_subkey(self, primary: PublicKey, key: PublicKey) -> None:
        chosen: Signature | None = None
        try:
            while (signature := self._next_signature()) is not None:
                _check_binding(primary, key, signature)
                if _replaces(chosen, signature):
                    chosen = signature
        except Deadly:
            raise
        except _WrongType as fault:
            raise Malformed("subkey signature with wrong type") from fault
        except OpenPgpError as fault:
            raise Malformed(f"subkey signature invalid: {fault}") from fault
        if chosen is None:
            raise Malformed("subkey packet not followed by signature")
        self._subkeys.append(Subkey(key, chosen))

    def _check_revocation(self, primary: PublicKey, revocation: Signature) -> None:
        try:
            _verify(primary, revocation, primary.for_hash)
        except OpenPgpError as fault:
            raise Malformed("revocation signature signed by alternate key") from fault


class _WrongType(OpenPgpError):
    """A signature behind a sub-key that is neither a binding nor a revocation."""


def _check_binding(primary: PublicKey, key: PublicKey, signature: Signature) -> None:
    if signature.kind not in (SignatureType.SUBKEY_BINDING, SignatureType.SUBKEY_REVOCATION):
        raise _WrongType(f"type {signature.kind}")
    data = (primary.for_hash, key.for_hash)
    _verify(primary, signature, *data)
    if signature.may_sign:
        _check_cross_signature(key, signature.embedded, data)


def _check_cross_signature(
    key: PublicKey, embedded: Signature | None, data: tuple[bytes, ...]
) -> None:
    if embedded is None:
        raise Malformed("signing subkey is missing cross-signature")
    doing = "hashing for" if not embedded.hash.is_available else "verifying"
    try:
        _verify(key, embedded, *data)
    except OpenPgpError as fault:
        raise Malformed(f"error while {doing} cross-signature: {fault}") from fault


def _replaces(old: Signature | None, new: Signature) -> bool:
    """Whether ``new`` decides about a sub-key instead of ``old``."""
    if old is None or new.kind == SignatureType.SUBKEY_REVOCATION:
        return True
    is_newer = (new.created or 0) > (old.created or 0)
    return old.kind != SignatureType.SUBKEY_REVOCATION and is_newer


def _verify(key: PublicKey, signature: Signature, *data: bytes) -> None:
    if not signature.hash.is_available:
        raise Unsupported("hash function")
    key.verify(signature, signature.hash, *data)


def _is_revocation(primary: PublicKey, signature: Signature) -> bool:
    try:
        _verify(primary, signature, primary.for_hash)
    except OpenPgpError:
        return False
    return True


def _keys_of(certificate: Certificate, key_id: int) -> list[SigningKey]:
    found = []
    if certificate.primary.key_id == key_id:
        statements = tuple(certificate.identities.values())
        primary = tuple(item for item in statements if item.is_primary_identity)
        found.append(
            SigningKey(
                key=certificate.primary, certificate=certificate, statements=primary or statements
            )
        )
    found += [
        SigningKey(key=item.key, certificate=certificate, statements=(item.signature,))
        for item in certificate.subkeys
        if item.key.key_id == key_id
    ]
    return found
