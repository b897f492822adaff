# SPDX-License-Identifier: Apache-2.0
"""Public keys, and the public part of private ones, from their packets.

RSA, DSA and ECDSA over NIST curves can verify; ElGamal and ECDH are read because rings have
them as sub-keys. Everything else, Ed25519 above all, is unsupported, which costs a ring more
than that one key: see ``keyring``.
"""

from __future__ import annotations

import hashlib

import msgspec

from okd_payload.signing.openpgp.arithmetic import (
    CurvePoint,
    DsaNumbers,
    HashAlgorithm,
    PublicNumbers,
    RsaNumbers,
    find_hash,
    read_point,
)
from okd_payload.signing.openpgp.faults import (
    BadSignature,
    Deadly,
    Malformed,
    OpenPgpError,
    Unfit,
    Unsupported,
)
from okd_payload.signing.openpgp.signatures import Algorithm, OldSignature, Signature, read_number
from okd_payload.signing.openpgp.streams import MemoryStream, Stream, read_all, read_exactly

_CAN_SIGN = (Algorithm.RSA, Algorithm.RSA_SIGN_ONLY, Algorithm.DSA, Algorithm.ECDSA)
_ENCRYPTS_ONLY = (Algorithm.RSA_ENCRYPT_ONLY, Algorithm.ELGAMAL)
_RSA = (Algorithm.RSA, Algorithm.RSA_ENCRYPT_ONLY, Algorithm.RSA_SIGN_ONLY)
_MAX_OID = 8
_LEAST_KDF = 3


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of version 4."""

    created: int
    algorithm: int
    numbers: PublicNumbers | None
    """None for keys that cannot sign."""
    body: bytes
    """The packet's content, which fingerprints and signatures are over."""
    is_subkey: bool
    is_private: bool = False

    @property
    def fingerprint(self) -> str:
        """The fingerprint, in capitals as gpg writes it."""
        return hashlib.sha1(self.for_hash, usedforsecurity=False).hexdigest().upper()

    @property
    def key_id(self) -> int:
        """The last eight bytes of the fingerprint."""
        return int(self.fingerprint[-16:], 16)

    @property
    def for_hash(self) -> bytes:
        """What a signature about this key hashes of it."""
        return b"\x99" + (len(self.body) & 0xFFFF).to_bytes(2) + self.body

    @property
    def can_sign(self) -> bool:
        """Whether keys of this kind make signatures at all."""
        return self.algorithm in _CAN_SIGN

    @property
    def bits(self) -> int:
        """The size of the modulus, the prime or the curve's field; 0 when unknown."""
        match self.numbers:
            case RsaNumbers(modulus=modulus):
                return modulus.bit_length()
            case DsaNumbers(prime=prime):
                return prime.bit_length()
            case CurvePoint(point=point):
                return (len(point) - 1) * 4
            case _:
                return 0

    def verify(
        self, signature: Signature | OldSignature, function: HashAlgorithm, *data: bytes
    ) -> None:
        """Raises Unfit or BadSignature unless ``signature`` is ours, over ``data``.

        ``function`` hashes; the one that the signature names only has to fit for RSA.
        """
        if self.algorithm in _ENCRYPTS_ONLY:
            raise Unfit("public key cannot generate signatures")
        digest = function.digest(*data, signature.suffix)
        if digest[:2] != signature.tag:
            raise BadSignature("hash tag doesn't match")
        if self.algorithm != signature.algorithm:
            raise Unfit("public key and signature use different algorithms")
        if not self._verifies(signature.numbers, digest, signature.hash):
            raise BadSignature(f"{_NAMES[self.algorithm]} verification failure")

    def _verifies(self, numbers: tuple[bytes, ...], digest: bytes, function: HashAlgorithm) -> bool:
        match self.numbers:
            case RsaNumbers() as rsa:
                return rsa.verifies(numbers[0], digest, function)
            case DsaNumbers() | CurvePoint() as other:
                return other.verifies(numbers[0], numbers[1], digest)
            case _:
                return False


_NAMES: dict[int, str] = {
    Algorithm.RSA: "RSA",
    Algorithm.RSA_SIGN_ONLY: "RSA",
    Algorithm.DSA: "DSA",
    Algorithm.ECDSA: "ECDSA",
}


class OldPublicKey(msgspec.Struct, frozen=True):
    """A key of version 2 or 3, which verifies nothing here."""


def read_public_key(source: Stream, *, is_subkey: bool) -> PublicKey:
    """A key of version 4. Raises OpenPgpError."""
    head = read_exactly(source, 6)
    if head[0] != 4:
        raise Unsupported("public key version")
    algorithm = head[5]
    numbers, rest = _read_numbers(algorithm, source)
    return PublicKey(
        created=int.from_bytes(head[1:5]),
        algorithm=algorithm,
        numbers=numbers,
        body=head + rest,
        is_subkey=is_subkey,
    )


def read_old_public_key(source: Stream) -> OldPublicKey:
    """A key of version 2 or 3. Raises OpenPgpError."""
    head = read_exactly(source, 8)
    if head[0] not in (2, 3):
        raise Unsupported("public key version")
    if head[7] not in _RSA:
        raise Unsupported(f"public key type: {head[7]}")
    modulus, exponent = read_number(source), read_number(source)
    if len(modulus) < 8:
        raise Malformed("v3 public key modulus is too short")
    if len(exponent) > 3:
        raise Unsupported("large public exponent")
    return OldPublicKey()


def read_private_key(source: Stream, *, is_subkey: bool) -> PublicKey:
    """The public part of a private key, after a look at the rest. Raises OpenPgpError."""
    key = read_public_key(source, is_subkey=is_subkey)
    protection = read_exactly(source, 1)[0]
    if protection not in (0, _WITH_HASH, _WITH_SUM):
        raise Unsupported("deprecated s2k function in private key")
    if protection:
        cipher = read_exactly(source, 1)[0]
        skip_passphrase_parameters(source)
        if cipher not in _BLOCK_SIZES:
            raise Unsupported(f"unsupported cipher in private key: {cipher}")
        read_exactly(source, _BLOCK_SIZES[cipher])
    secret = read_all(source)
    if not protection:
        _check_secret(key, MemoryStream(secret))
    return msgspec.structs.replace(key, is_private=True)


def skip_passphrase_parameters(source: Stream) -> None:
    """Step over how a passphrase becomes a key (S2K). Raises OpenPgpError."""
    mode, hash_number = read_exactly(source, 2)
    function = find_hash(hash_number)
    if function is None:
        raise Unsupported(f"hash for S2K function: {hash_number}")
    if not function.is_available:
        raise Unsupported(f"hash not available: {function.go_number}")
    if mode not in _S2K_PARAMETERS:
        raise Unsupported("S2K function")
    read_exactly(source, _S2K_PARAMETERS[mode])


_WITH_HASH, _WITH_SUM = 254, 255
_BLOCK_SIZES = {2: 8, 3: 8, 7: 16, 8: 16, 9: 16}
"""Block sizes of the ciphers that the library has, by number."""
_S2K_PARAMETERS = {0: 0, 1: 8, 3: 9}
"""Bytes that follow each kind of S2K: nothing, a salt, a salt and a count."""


def is_cipher(number: int) -> bool:
    """Whether the library has the cipher with this number."""
    return number in _BLOCK_SIZES


def _check_secret(key: PublicKey, source: Stream) -> None:
    if key.algorithm == Algorithm.ECDH:
        raise Deadly("private ECDH key without passphrase, on which a cluster crashes")
    first = int.from_bytes(read_number(source))
    if isinstance(key.numbers, RsaNumbers):
        left, right = (int.from_bytes(read_number(source)) for _ in range(2))
        modulus, exponent = key.numbers.modulus, key.numbers.exponent
        fits = left > 1 and right > 1 and left * right == modulus
        if not fits or any((exponent * first - 1) % (prime - 1) for prime in (left, right)):
            raise OpenPgpError("crypto/rsa: invalid private key")


def _read_numbers(algorithm: int, source: Stream) -> tuple[PublicNumbers | None, bytes]:
    """The numbers of a key, and the bytes that they were read from."""
    if algorithm in _RSA:
        return _read_rsa(source, can_sign=algorithm != Algorithm.RSA_ENCRYPT_ONLY)
    if algorithm == Algorithm.DSA:
        fields = [_read_field(source) for _ in range(4)]
        prime, group, generator, public = (int.from_bytes(field[2:]) for field in fields)
        return DsaNumbers(prime, group, generator, public), b"".join(fields)
    if algorithm == Algorithm.ELGAMAL:
        return None, b"".join(_read_field(source) for _ in range(3))
    if algorithm in (Algorithm.ECDSA, Algorithm.ECDH):
        return _read_curve(source, is_for_signing=algorithm == Algorithm.ECDSA)
    raise Unsupported(f"public key type: {algorithm}")


def _read_field(source: Stream) -> bytes:
    """A number with its length in front."""
    length = read_exactly(source, 2)
    return length + read_exactly(source, (int.from_bytes(length) + 7) // 8)


def _read_rsa(source: Stream, *, can_sign: bool) -> tuple[PublicNumbers | None, bytes]:
    modulus, exponent = _read_field(source), _read_field(source)
    if len(exponent) > 5:
        raise Unsupported("large public exponent")
    numbers = RsaNumbers(int.from_bytes(modulus[2:]), int.from_bytes(exponent[2:]))
    return numbers if can_sign else None, modulus + exponent


def _read_curve(source: Stream, *, is_for_signing: bool) -> tuple[PublicNumbers | None, bytes]:
    length = read_exactly(source, 1)
    if length[0] > _MAX_OID:
        raise Unsupported(f"invalid oid length: {length[0]}")
    identifier = read_exactly(source, length[0])
    point = _read_field(source)
    body = length + identifier + point
    if not is_for_signing:
        body += _read_derivation(source)
    numbers = read_point(identifier, point[2:])
    return numbers if is_for_signing else None, body


def _read_derivation(source: Stream) -> bytes:
    """How ECDH derives keys; fingerprints are over the first three bytes of it only."""
    length = read_exactly(source, 1)[0]
    if length < _LEAST_KDF:
        raise Unsupported(f"unsupported ECDH KDF length: {length}")
    content = read_exactly(source, length)
    if content[0] != 1:
        raise Unsupported(f"unsupported KDF reserved field: {content[0]}")
    return bytes([_LEAST_KDF]) + content[:_LEAST_KDF]
