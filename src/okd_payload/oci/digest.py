# SPDX-License-Identifier: Apache-2.0
"""Content digests: ``sha256:<64 hexadecimal digits>`` and nothing else.

The OCI image specification also registers sha512; no release payload uses it, and one
algorithm keeps every comparison a comparison of strings.
"""

from __future__ import annotations

import hashlib
import re
from typing import NewType

from okd_payload.errors import DigestMismatch, InvalidReference

Digest = NewType("Digest", str)
"""A checked digest; made by ``parse_digest`` and ``digest_of`` only."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def parse_digest(text: str) -> Digest:
    """``text`` as a digest. Raises InvalidReference."""
    if not _DIGEST.fullmatch(text):
        raise InvalidReference(
            f"{text[:100]!r} is not a digest",
            hint="a digest is sha256: followed by 64 digits of 0-9a-f",
        )
    return Digest(text)


def is_digest(text: str) -> bool:
    """Whether ``text`` is a well-formed digest."""
    return _DIGEST.fullmatch(text) is not None


def digest_of(content: bytes) -> Digest:
    """The digest of ``content``."""
    return Digest("sha256:" + hashlib.sha256(content).hexdigest())


def hex_of(digest: Digest) -> str:
    """The 64 hexadecimal digits of ``digest``."""
    return digest.partition(":")[2]


def verify(content: bytes, digest: Digest, size: int | None = None) -> None:
    """Raise DigestMismatch unless ``content`` has this digest, and this size where given."""
    verifier = Verifier(digest, size)
    verifier.update(content)
    verifier.finish()


class Verifier:
    """Hashes content as it passes, and says at the end whether it was the right content."""

    def __init__(self, digest: Digest, size: int | None = None) -> None:
        self._expected = digest
        self._expected_size = size
        self._hash = hashlib.sha256()
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Take the next bytes. Raises DigestMismatch as soon as there are too many."""
        self.size += len(chunk)
        self._hash.update(chunk)
        if self._expected_size is not None and self.size > self._expected_size:
            self._fail(f"more than the {self._expected_size} bytes announced")

    def finish(self) -> None:
        """Raise DigestMismatch unless exactly the expected content passed."""
        if self._expected_size is not None and self.size != self._expected_size:
            self._fail(f"{self.size} bytes instead of {self._expected_size}")
        found = "sha256:" + self._hash.hexdigest()
        if found != self._expected:
            self._fail(f"content has the digest {found}")

    def _fail(self, what: str) -> None:
        raise DigestMismatch(
            f"content of {self._expected} is wrong: {what}",
            hint="the copy is damaged or was tampered with: fetch it from another place",
        )


class SizeVerifier:
    """Counts content as it passes, for whoever has it hashed elsewhere."""

    def __init__(self, size: int) -> None:
        self._expected = size
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Take the next bytes. Raises DigestMismatch as soon as there are too many."""
        self.size += len(chunk)
        if self.size > self._expected:
            self._fail()

    def finish(self) -> None:
        """Raise DigestMismatch unless as much passed as was expected."""
        if self.size != self._expected:
            self._fail()

    def _fail(self) -> None:
        raise DigestMismatch(
            f"content of {self.size} bytes came instead of {self._expected}",
            hint="the copy is damaged or was tampered with: fetch it from another place",
        )
