# SPDX-License-Identifier: Apache-2.0
"""Whether clusters can verify what a key signs: asked before anything is signed with it.

A cluster that cannot read a key does not start with it in its key ring, so a signature by such a
key is worse than none. RSA keys are what to use; DSA and ECDSA over NIST curves work too.
"""

from __future__ import annotations

from datetime import datetime

from okd_payload.errors import SigningError
from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.keyring import KeyRing, read_key_ring
from okd_payload.signing.openpgp.message import SignedMessage, open_message

MAKE_RSA_KEY = (
    "use an RSA key all of whose sub-keys are RSA: "
    '`gpg --quick-generate-key "NAME <ADDRESS>" rsa4096 sign never` makes one'
)


def require_fit(public_key: bytes, *, name: str) -> KeyRing:
    """The key as clusters read it. Raises SigningError when they cannot, which says why."""
    try:
        ring = read_key_ring(public_key)
    except OpenPgpError as error:
        raise _unfit(name, why_unreadable(error)) from error
    for lost in ring.dropped:
        raise _unfit(name, lost.cause)
    if not ring.certificates:
        raise _unfit(name, "they find no key in it")
    if any(certificate.is_revoked for certificate in ring.certificates):
        raise _unfit(name, "it is revoked")
    return ring


def why_unreadable(error: OpenPgpError) -> str:
    """Why an armoured ring was not read: the second try, as if it had no armour, says nothing."""
    return str(error.__cause__ or error)


def require_verifiable(message: bytes, ring: KeyRing, *, name: str, now: datetime) -> SignedMessage:
    """``message`` as clusters read it. Raises SigningError when they refuse what was signed."""
    try:
        return open_message(message, ring, now=now)
    except OpenPgpError as error:
        raise SigningError(
            f"clusters refuse what {name} signs: {error.message}",
            hint="the sub-key that signs must be allowed to, and be part of the public key; "
            + MAKE_RSA_KEY,
        ) from error


def _unfit(name: str, reason: str) -> SigningError:
    return SigningError(
        f"clusters cannot verify what {name} signs: {reason}",
        hint=f"a key ring with this key keeps clusters from starting. {MAKE_RSA_KEY[0].upper()}"
        f"{MAKE_RSA_KEY[1:]}",
    )
