# SPDX-License-Identifier: Apache-2.0
"""Keys, rings and messages packet by packet: what no OpenPGP program would make.

Everything is deterministic but the keys. ``Key.sign`` makes signature packets, ``ring`` and
``message`` put packets together; every oddity is an argument.
"""

from __future__ import annotations

import hashlib
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils

CREATED = 1_700_000_000
MD5, SHA1, RIPEMD160, SHA256, SHA512, SHA224 = 1, 2, 3, 8, 10, 11
_HASHES = {
    MD5: hashes.MD5(),
    SHA1: hashes.SHA1(),
    SHA224: hashes.SHA224(),
    SHA256: hashes.SHA256(),
    SHA512: hashes.SHA512(),
}
_OIDS = {
    "secp256r1": bytes.fromhex("2a8648ce3d030107"),
    "secp384r1": bytes.fromhex("2b81040022"),
    "secp521r1": bytes.fromhex("2b81040023"),
}
CURVE_25519 = bytes.fromhex("2b060104019755010501")


def packet(tag, body):
    """A packet of the new format."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4) + body


def number(value):
    """A multi-precision integer."""
    return value.bit_length().to_bytes(2) + value.to_bytes((value.bit_length() + 7) // 8)


def subpacket(kind, content, *, critical=False):
    """A sub-packet of a signature."""
    return bytes([len(content) + 1, kind | (0x80 if critical else 0)]) + content


def created(seconds=CREATED):
    """The sub-packet of the creation time."""
    return subpacket(2, seconds.to_bytes(4))


def flags(value):
    """The sub-packet of the key flags: 1 certifies, 2 signs, 12 encrypts."""
    return subpacket(27, bytes([value]))


class Key:
    """A secret key and its packet."""

    def __init__(self, secret, *, algorithm=None, is_subkey=False):
        self.secret = secret
        kinds = {rsa.RSAPrivateKey: 1, dsa.DSAPrivateKey: 17, ec.EllipticCurvePrivateKey: 19}
        self.algorithm = algorithm or next(
            kind for base, kind in kinds.items() if isinstance(secret, base)
        )
        self.is_subkey = is_subkey
        self.body = b"\x04" + CREATED.to_bytes(4) + bytes([self.algorithm]) + self._numbers()

    def _numbers(self):
        public = self.secret.public_key().public_numbers()
        if self.algorithm == 17:
            group = public.parameter_numbers
            return b"".join(map(number, (group.p, group.q, group.g, public.y)))
        if self.algorithm == 19:
            oid = _OIDS[public.curve.name]
            size = (public.curve.key_size + 7) // 8
            point = b"\x04" + public.x.to_bytes(size) + public.y.to_bytes(size)
            return bytes([len(oid)]) + oid + number(int.from_bytes(point))
        return number(public.n) + number(public.e)

    @property
    def packet(self):
        """The public key packet."""
        return packet(14 if self.is_subkey else 6, self.body)

    @property
    def for_hash(self):
        """What signatures hash of it."""
        return b"\x99" + len(self.body).to_bytes(2) + self.body

    @property
    def fingerprint(self):
        """The fingerprint, in capitals."""
        return hashlib.sha1(self.for_hash).hexdigest().upper()

    @property
    def key_id(self):
        """The last eight bytes of the fingerprint."""
        return bytes.fromhex(self.fingerprint[-16:])

    def sign(self, kind, data, *, hashed=None, unhashed=None, function=SHA256, says=None):
        """A signature packet over ``data``; ``says`` is the hash that it names."""
        hashed = created() if hashed is None else hashed
        unhashed = subpacket(16, self.key_id) if unhashed is None else unhashed
        head = bytes([4, kind, self.algorithm, says or function])
        head += len(hashed).to_bytes(2) + hashed
        suffix = head + b"\x04\xff" + len(head).to_bytes(4)
        state = hashlib.new(_HASHES[function].name, data + suffix)
        body = head + len(unhashed).to_bytes(2) + unhashed + state.digest()[:2]
        return packet(2, body + self._sign_digest(state.digest(), function))

    def _sign_digest(self, digest, function):
        prehashed = utils.Prehashed(_HASHES[function])
        if isinstance(self.secret, rsa.RSAPrivateKey):
            made = self.secret.sign(digest, padding.PKCS1v15(), prehashed)
            return number(int.from_bytes(made))
        if isinstance(self.secret, dsa.DSAPrivateKey):
            order = self.secret.parameters().parameter_numbers().q
            cut = digest[: order.bit_length() // 8]
            short = {20: hashes.SHA1(), 32: hashes.SHA256()}[len(cut)]
            made = self.secret.sign(cut, utils.Prehashed(short))
        else:
            made = self.secret.sign(digest, ec.ECDSA(prehashed))
        return b"".join(map(number, utils.decode_dss_signature(made)))

    def user_id(self, text=b"test", *, hashed=None, **more):
        """A user id packet and its self-signature."""
        data = self.for_hash + b"\xb4" + len(text).to_bytes(4) + text
        hashed = created() + flags(3) if hashed is None else hashed
        return packet(13, text) + self.sign(0x13, data, hashed=hashed, **more)

    def bind(self, subkey, *, hashed=None, cross=True, kind=0x18):
        """A signature about ``subkey``, with its own inside when it is to sign."""
        data = self.for_hash + subkey.for_hash
        hashed = created() + flags(2) if hashed is None else hashed
        unhashed = subpacket(16, self.key_id)
        if cross:
            made = subkey.sign(0x19, data)[6:]
            length = len(made) + 1
            unhashed += b"\xff" + length.to_bytes(4) + b"\x20" + made
        return self.sign(kind, data, hashed=hashed, unhashed=unhashed)


@cache
def rsa_key(bits=2048, *, index=0, is_subkey=False, algorithm=None):
    """An RSA key; different ``index``, different key."""
    del index
    return Key(rsa.generate_private_key(65537, bits), is_subkey=is_subkey, algorithm=algorithm)


@cache
def dsa_key(bits=1024):
    """A DSA key."""
    return Key(dsa.generate_private_key(bits))


@cache
def curve_key(curve="secp256r1"):
    """An ECDSA key."""
    curves = {item.name: item for item in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())}
    return Key(ec.generate_private_key(curves[curve]))


def one_pass(key, *, kind=0, function=SHA256, key_id=None, is_last=True):
    """A one-pass packet."""
    head = bytes([3, kind, function, key.algorithm])
    return packet(4, head + (key.key_id if key_id is None else key_id) + bytes([is_last]))


def literal(content):
    """A literal packet."""
    return packet(11, b"b\0\0\0\0\0" + content)


def message(key, content=b"content", *, function=SHA256, **more):
    """A signed message; ``more`` goes to the signature."""
    signature = key.sign(0, content, function=function, **more)
    return one_pass(key, function=function) + literal(content) + signature
