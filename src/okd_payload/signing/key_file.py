# SPDX-License-Identifier: Apache-2.0
"""Signing in this process, with a secret key from a file.

The file is what ``gpg --export-secret-keys`` writes, armoured or not, with one key in it. Of a
key with sub-keys, one that may sign is taken, as every OpenPGP program does. A passphrase is
asked for only where the key is locked, and is kept nowhere.

pysequoia, which does the work, changes its interface now and then: nothing outside of this
module makes signatures with it. Its errors carry a back-trace of which the first line is meant
for people, and all of them are RuntimeErrors.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from okd_payload.documents.files import read_file
from okd_payload.errors import InvalidDocument, SigningError
from okd_payload.signing.signer import AskPassphrase

if TYPE_CHECKING:
    from pysequoia import Cert, PySigner, Tsk

MAX_KEY_BYTES = 1024 * 1024
_EXPORT = "write it with `gpg --armor --export-secret-keys FINGERPRINT`"
_LOCKED = "encrypted"


def require_passphrase(key: str) -> str:
    """What to give to ``open_key_file`` where no passphrase can be had."""
    raise SigningError(
        f"{key} is locked, and nobody gave its passphrase",
        hint="set OKD_PAYLOAD_PASSPHRASE, or name a file with it where the command has "
        "--passphrase-file",
    )


class KeyFileSigner:
    """A secret key in the memory of this process; made by ``open_key_file``."""

    def __init__(self, key: Tsk, signer: PySigner) -> None:
        self._signer = signer
        certificate = key.extract_certificate()
        self._fingerprint = certificate.fingerprint.upper()
        self._public_key = bytes(certificate)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the primary key, in capital hexadecimal digits."""
        return self._fingerprint

    @property
    def public_key(self) -> bytes:
        """The public key with its sub-keys, armoured."""
        from pysequoia import ArmorKind, armor

        return armor(self._public_key, ArmorKind.PublicKey).encode()

    async def sign_message(self, content: bytes) -> bytes:
        """A binary OpenPGP message that holds ``content`` and its signature."""
        from pysequoia import SignatureMode, sign

        return sign(self._signer, content, mode=SignatureMode.INLINE, armor=False)

    async def sign_detached(self, content: bytes) -> bytes:
        """An armoured signature of ``content`` alone."""
        from pysequoia import SignatureMode, sign

        return sign(self._signer, content, mode=SignatureMode.DETACHED, armor=True)


def open_key_file(path: Path, *, passphrase: AskPassphrase = require_passphrase) -> KeyFileSigner:
    """The key in the file at ``path``. Raises InvalidDocument and SigningError."""
    content = read_file(path, limit=MAX_KEY_BYTES)
    return read_secret_key(content, path=str(path), passphrase=passphrase)


def read_secret_key(
    content: bytes, *, path: str, passphrase: AskPassphrase = require_passphrase
) -> KeyFileSigner:
    """The key that ``content`` is; ``path`` is only named. Raises InvalidDocument, SigningError."""
    from pysequoia import Tsk

    _require_secret(content, path)
    try:
        key = Tsk.from_bytes(content)
    except RuntimeError as error:
        raise InvalidDocument(
            f"not one OpenPGP key: {_first_line(error)}", path=path, hint=_EXPORT
        ) from error
    return KeyFileSigner(key, _unlock(key, path, passphrase))


def _require_secret(content: bytes, path: str) -> None:
    from pysequoia.packet import PacketPile, Tag

    try:
        tags = [packet.tag for packet in PacketPile.from_bytes(content)]
    except RuntimeError as error:
        raise InvalidDocument(
            f"not an OpenPGP key: {_first_line(error)}", path=path, hint=_EXPORT
        ) from error
    if Tag.SecretKey not in tags and Tag.SecretSubkey not in tags:
        what = "a public key only" if Tag.PublicKey in tags else "no OpenPGP key"
        raise InvalidDocument(f"the file has {what}: it cannot sign", path=path, hint=_EXPORT)


def _unlock(key: Tsk, path: str, passphrase: AskPassphrase) -> PySigner:
    try:
        return key.signer()
    except RuntimeError as error:
        if _LOCKED not in str(error):
            raise _unfit(key, path, _first_line(error)) from error
    given = passphrase(f"the key in {path}")
    try:
        return key.signer(given)
    except RuntimeError as error:
        raise SigningError(
            f"the passphrase given for the key in {path} is wrong",
            hint="a line end at the end of a passphrase file does not count, blanks do",
        ) from error


def _unfit(key: Tsk, path: str, reason: str) -> SigningError:
    return SigningError(
        f"the key in {path} cannot sign: {_explain(key.extract_certificate()) or reason}",
        hint="take another key, or renew this one (`gpg --edit-key`) and export it again",
    )


def _explain(certificate: Cert) -> str:
    """Why a key does not sign; empty where pysequoia's own words must do."""
    try:
        if certificate.is_revoked:
            return "it is revoked"
        if certificate.expiration and certificate.expiration <= datetime.now(UTC):
            return f"it expired at {certificate.expiration:%Y-%m-%dT%H:%M:%SZ}"
    except RuntimeError:
        return ""
    return "neither it nor a sub-key in the file may sign"


def _first_line(error: RuntimeError) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else "no reason given"
