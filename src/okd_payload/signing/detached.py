# SPDX-License-Identifier: Apache-2.0
"""Signatures that lie beside a file, judged for people.

Clusters never see these, so their odd rules do not apply: pysequoia's policy does, which refuses
weak hashes, and keys that were expired or revoked when they signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from okd_payload.errors import InvalidDocument

if TYPE_CHECKING:
    from pysequoia import Cert

MAX_SIGNATURE_BYTES = 64 * 1024
EXPORT_HINT = "write the public key with `gpg --armor --export FINGERPRINT`"
_MESSAGE_OF_OTHER_CONTENT = "it is a valid signature of another text"


class DetachedVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed a file, or why nobody did."""

    signer: str = ""
    """The fingerprint of the trusted key that signed; empty when none did."""
    problem: str = ""


def read_public_keys(content: bytes, *, path: str) -> list[Cert]:
    """All keys in ``content``, armoured or not. Raises InvalidDocument."""
    from pysequoia import Cert

    try:
        keys = Cert.split_bytes(content)
    except RuntimeError as error:
        raise InvalidDocument(
            f"not an OpenPGP key: {_first_line(error)}",
            path=path,
            hint=EXPORT_HINT,
        ) from error
    if not keys:
        raise InvalidDocument("the file has no OpenPGP key", path=path, hint=EXPORT_HINT)
    return keys


def verify_detached(content: bytes, signature: bytes, keys: Sequence[Cert]) -> DetachedVerdict:
    """Whether one of ``keys`` made ``signature``, armoured or not, of ``content``."""
    from pysequoia import Sig, verify

    try:
        parsed = Sig.from_bytes(signature)
    except RuntimeError as error:
        return DetachedVerdict(problem=_first_line(error))
    try:
        found = verify(content, store=lambda _: list(keys), signature=parsed)
    except RuntimeError as error:
        issuer = parsed.issuer_fingerprint or parsed.issuer_key_id or "a key that it does not name"
        return DetachedVerdict(problem=f"{_first_line(error)} It says to be of {issuer.upper()}")
    return DetachedVerdict(signer=found.valid_sigs[0].certificate.upper())


def verify_message(content: bytes, message: bytes, keys: Sequence[Cert]) -> DetachedVerdict:
    """Whether ``message`` holds ``content``, signed by one of ``keys``."""
    from pysequoia import verify

    try:
        found = verify(message, store=lambda _: list(keys))
    except RuntimeError as error:
        return DetachedVerdict(problem=_first_line(error))
    if found.bytes != content:
        return DetachedVerdict(problem=_MESSAGE_OF_OTHER_CONTENT)
    return DetachedVerdict(signer=found.valid_sigs[0].certificate.upper())


def _first_line(error: RuntimeError) -> str:
    """Pysequoia's errors carry a back-trace behind what is meant for people."""
    lines = str(error).splitlines()
    return lines[0] if lines else "no reason given"
