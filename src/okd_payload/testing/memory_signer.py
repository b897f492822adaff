# SPDX-License-Identifier: Apache-2.0
"""A signer whose key was made a moment ago and is never written anywhere."""

from __future__ import annotations

from pysequoia import CipherSuite, Profile, Tsk

from okd_payload.signing.key_file import KeyFileSigner


class MemorySigner:
    """The twin of ``Signer``. Its signatures are real ones; what it signed can be read.

    Keys are RSA keys, which clusters accept, unless ``suite`` says otherwise.
    """

    def __init__(
        self, user_id: str = "Release <release@example.com>", *, suite: CipherSuite | None = None
    ) -> None:
        key = Tsk.generate(
            user_id, cipher_suite=suite or CipherSuite.RSA2k, profile=Profile.RFC4880
        )
        self.secret_key = str(key).encode()
        """The key, armoured, as a key file holds it."""
        self.signed: list[bytes] = []
        """What was signed so far, in either form."""
        self._signer = KeyFileSigner(key, key.signer())

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the primary key, in capital hexadecimal digits."""
        return self._signer.fingerprint

    @property
    def public_key(self) -> bytes:
        """The public key with its sub-keys, armoured."""
        return self._signer.public_key

    async def sign_message(self, content: bytes) -> bytes:
        """A binary OpenPGP message that holds ``content`` and its signature."""
        self.signed.append(content)
        return await self._signer.sign_message(content)

    async def sign_detached(self, content: bytes) -> bytes:
        """An armoured signature of ``content`` alone."""
        self.signed.append(content)
        return await self._signer.sign_detached(content)
