# SPDX-License-Identifier: Apache-2.0
"""Whether numbers are a signature: RSA (PKCS #1 v1.5), DSA and ECDSA over the NIST curves.

``cryptography`` refuses MD5 and short keys, as it should; clusters do not. RSA and DSA need one
modular exponentiation with public numbers, so they are done here, for every hash and size that
a cluster takes. Verification handles nothing secret: no care for timing is needed.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec

from okd_payload.signing.openpgp.faults import Unsupported

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_LEAST_RSA_BITS = 1024
_MOST_DSA_BITS, _MOST_DSA_GROUP_BITS = 16384, 1024
"""A bound on work only: DSA keys have 3072 and 256 bits at most."""


class HashAlgorithm(msgspec.Struct, frozen=True):
    """A hash function: its number in packets, its name, and how PKCS #1 announces it."""

    number: int
    name: str
    announcement: bytes
    go_number: int
    """Its number in Go, which some messages show."""

    @property
    def is_available(self) -> bool:
        """Whether the library can compute it; RIPEMD-160 it only knows by number."""
        return bool(self.announcement)

    @property
    def size(self) -> int:
        """The length of its digests in bytes; 0 when it is not available."""
        return self.announcement[-1] if self.announcement else 0

    def digest(self, *parts: bytes) -> bytes:
        """The hash of ``parts`` in a row."""
        state = hashlib.new(self.name, usedforsecurity=False)
        for part in parts:
            state.update(part)
        return state.digest()


_HASHES = {
    item.number: item
    for item in (
        HashAlgorithm(1, "md5", bytes.fromhex("3020300c06082a864886f70d020505000410"), 2),
        HashAlgorithm(2, "sha1", bytes.fromhex("3021300906052b0e03021a05000414"), 3),
        HashAlgorithm(3, "ripemd160", b"", 9),
        HashAlgorithm(8, "sha256", bytes.fromhex("3031300d060960864801650304020105000420"), 5),
        HashAlgorithm(9, "sha384", bytes.fromhex("3041300d060960864801650304020205000430"), 6),
        HashAlgorithm(10, "sha512", bytes.fromhex("3051300d060960864801650304020305000440"), 7),
        HashAlgorithm(11, "sha224", bytes.fromhex("302d300d06096086480165030402040500041c"), 4),
    )
}


def find_hash(number: int) -> HashAlgorithm | None:
    """The hash function with this number in packets."""
    return _HASHES.get(number)


class RsaNumbers(msgspec.Struct, frozen=True):
    """An RSA public key."""

    modulus: int
    exponent: int

    def verifies(self, signature: bytes, digest: bytes, algorithm: HashAlgorithm) -> bool:
        """Whether ``signature`` is one of ``digest``."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature)
        usable = (
            self.modulus.bit_length() >= _LEAST_RSA_BITS
            and self.modulus % 2 == 1
            and self.exponent > 1
            and self.exponent % 2 == 1
            and len(digest) == algorithm.size
        )
        padding = size - len(algorithm.announcement) - len(digest) - 3
        if not usable or len(signature) > size or number >= self.modulus or padding < 8:
            return False
        expected = b"\0\1" + b"\xff" * padding + b"\0" + algorithm.announcement + digest
        found = pow(number, self.exponent, self.modulus).to_bytes(size)
        return hmac.compare_digest(found, expected)


class DsaNumbers(msgspec.Struct, frozen=True):
    """A DSA public key."""

    prime: int
    group: int
    generator: int
    public: int

    def verifies(self, first: bytes, second: bytes, digest: bytes) -> bool:
        """Whether the two numbers of a signature are one of ``digest``."""
        bits = self.group.bit_length()
        r, s = int.from_bytes(first), int.from_bytes(second)
        usable = (
            0 < self.prime.bit_length() <= _MOST_DSA_BITS
            and 0 < bits <= _MOST_DSA_GROUP_BITS
            and bits % 8 == 0
        )
        if not usable or not 0 < r < self.group or not 0 < s < self.group:
            return False
        try:
            inverse = pow(s, -1, self.group)
        except ValueError:
            return False
        hashed = int.from_bytes(digest[: bits // 8])
        left = pow(self.generator, hashed * inverse % self.group, self.prime)
        right = pow(self.public, r * inverse % self.group, self.prime)
        return left * right % self.prime % self.group == r


class CurvePoint(msgspec.Struct, frozen=True):
    """An ECDSA public key."""

    curve: str
    point: bytes

    def verifies(self, first: bytes, second: bytes, digest: bytes) -> bool:
        """Whether the two numbers of a signature are one of ``digest``."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        # The curve takes any digest of a known length; which function made it does not matter.
        made = {16: hashes.MD5(), 20: hashes.SHA1(), 28: hashes.SHA224(), 32: hashes.SHA256()}  # noqa: S303 - what others signed with
        algorithm = made.get(len(digest)) or {48: hashes.SHA384(), 64: hashes.SHA512()}[len(digest)]
        signature = utils.encode_dss_signature(int.from_bytes(first), int.from_bytes(second))
        try:
            _load_point(self.curve, self.point).verify(
                signature, digest, ec.ECDSA(utils.Prehashed(algorithm))
            )
        except InvalidSignature:
            return False
        return True


PublicNumbers = RsaNumbers | DsaNumbers | CurvePoint

_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): "secp256r1",
    bytes.fromhex("2b81040022"): "secp384r1",
    bytes.fromhex("2b81040023"): "secp521r1",
}
_UNCOMPRESSED = b"\4"


def read_point(identifier: bytes, point: bytes) -> CurvePoint:
    """The point of a curve as packets give it. Raises Unsupported when it lies on none."""
    curve = _CURVES.get(identifier)
    if curve is None:
        raise Unsupported(f"unsupported oid: {identifier.hex()}")
    fault = Unsupported("failed to parse EC point")
    if point[:1] != _UNCOMPRESSED:
        raise fault
    try:
        _load_point(curve, point)
    except ValueError as error:
        raise fault from error
    return CurvePoint(curve, point)


def _load_point(curve: str, point: bytes) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[str, ec.EllipticCurve] = {
        "secp256r1": ec.SECP256R1(),
        "secp384r1": ec.SECP384R1(),
        "secp521r1": ec.SECP521R1(),
    }
    return ec.EllipticCurvePublicKey.from_encoded_point(curves[curve], point)
