# SPDX-License-Identifier: Apache-2.0
"""The seam between what is signed and the key that signs it.

A signer has one key, held in a file (``key_file``) or by the gpg command (``gpg``: an agent, a
smart card, a hardware module). ``testing.MemorySigner`` is the twin. Messages are signed by one
key at a time: clusters reject a message with two signers.

What the key is fit for is not asked here: ``sha256sum.txt.asc`` is for people, whose programs
know more kinds of keys than clusters do. ``signing.claims`` asks it for releases.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

AskPassphrase = Callable[[str], str]
"""Gives the passphrase of the key that the argument describes. Raises SigningError."""


class Signer(Protocol):
    """One OpenPGP key that can sign."""

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the primary key, in capital hexadecimal digits."""
        ...

    @property
    def public_key(self) -> bytes:
        """The public key with its sub-keys, armoured: what a key ring holds."""
        ...

    async def sign_message(self, content: bytes) -> bytes:
        """A binary OpenPGP message that holds ``content`` and its signature.

        The form of signature files: not detached, not clear-signed, not armoured. Raises
        SigningError.
        """
        ...

    async def sign_detached(self, content: bytes) -> bytes:
        """An armoured signature of ``content`` alone, as for ``sha256sum.txt.asc``.

        Raises SigningError.
        """
        ...
