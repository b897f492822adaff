# SPDX-License-Identifier: Apache-2.0
"""What publishers should not let pass, though clusters do, or refuse without saying why.

A cluster takes MD5, short keys, keys that expired, and a signature of any other place; it says
``invalid signature`` for a revoked key as for an unknown one. Here each of these is an issue of
its own. ``verification`` decides, this explains: a release may be accepted and have issues.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from okd_payload.clock import Clock
from okd_payload.errors import InvalidReference
from okd_payload.issues import Issue
from okd_payload.oci.reference import parse_reference
from okd_payload.signing import codes
from okd_payload.signing.claim import ClaimRefused, read_claim
from okd_payload.signing.configuration import Configuration
from okd_payload.signing.openpgp.arithmetic import CurvePoint
from okd_payload.signing.openpgp.keyring import Certificate, KeyRing, SigningKey
from okd_payload.signing.openpgp.outline import Outline, read_outline
from okd_payload.signing.openpgp.signatures import OldSignature, Signature, SignatureType
from okd_payload.signing.stores.model import FoundSignature
from okd_payload.signing.verification import Verdict

LEAST_BITS = 2048
"""Of the modulus of RSA keys and the prime of DSA keys."""
_WEAK_HASHES = frozenset({"md5", "sha1", "sha224", "ripemd160"})
_TOLERANCE = 300
"""Seconds that clocks may differ by before a signature counts as one of the future."""


def check_strictly(
    verdict: Verdict, configuration: Configuration, *, reference: str, clock: Clock
) -> list[Issue]:
    """Every issue with the keys of ``configuration`` and the signatures of ``verdict``.

    ``reference`` is the pull spec that the release is published at, empty when it is nowhere.
    """
    now = clock.now()
    issues = check_key_rings(configuration)
    for found in verdict.examined:
        issues += _check_signature(found, configuration, reference=reference, now=now)
    return issues


def check_key_rings(configuration: Configuration) -> list[Issue]:
    """An issue for everything that clusters lose of the rings of ``configuration``."""
    return [issue for entry, ring in configuration.rings.items() for issue in _losses(entry, ring)]


def _losses(entry: str, ring: KeyRing) -> Iterator[Issue]:
    for lost in ring.dropped:
        if lost.fingerprint:
            yield codes.LOST_KEY.issue(
                f"clusters lose the key {lost.fingerprint} of {entry}: {lost.cause}",
                file=entry,
                hint="an unsupported key takes the one before it along: leave out Ed25519 keys,"
                " and RSA keys with Ed25519 sub-keys",
            )
        else:
            yield codes.UNREADABLE_KEY.issue(
                f"clusters cannot read a key of {entry}: {lost.cause}",
                file=entry,
                hint="use RSA keys, or DSA and ECDSA over NIST curves",
            )
    if not ring.certificates:
        yield codes.EMPTY_KEY_RING.issue(
            f"{entry} has no key, so every release is refused",
            file=entry,
            hint="leave the entry out, or put an armoured key into it",
        )


def _check_signature(
    found: FoundSignature, configuration: Configuration, *, reference: str, now: float
) -> Iterator[Issue]:
    outline = read_outline(found.content)
    if len(outline.announced) > 1:
        yield codes.SEVERAL_SIGNERS.issue(
            f"{found.origin} is signed by {len(outline.announced)} keys at once",
            file=found.origin,
            hint="sign with one key at a time, each into a file of its own",
        )
    for name in sorted({item.hash.name for item in outline.announced} & _WEAK_HASHES):
        yield codes.WEAK_HASH.issue(
            f"{found.origin} is signed over {name}",
            file=found.origin,
            hint="sign again with SHA-256 or SHA-512",
        )
    for signature in outline.signatures:
        yield from _check_times(found.origin, signature, now)
    for announced in outline.announced:
        keys = _find_keys(configuration, announced.key_id)
        yield from _check_key(found.origin, keys, now)
    yield from _check_reference(found.origin, outline, reference)


def _check_times(origin: str, signature: Signature | OldSignature, now: float) -> Iterator[Issue]:
    created = signature.created or 0
    if created > now + _TOLERANCE:
        yield codes.FUTURE_SIGNATURE.issue(
            f"{origin} says to be made on {_day(created)}",
            file=origin,
            hint="set the clock of the machine that signs, and sign again",
        )
    lifetime = None if isinstance(signature, OldSignature) else signature.lifetime
    if lifetime is not None and created + lifetime < now:
        yield codes.EXPIRED_SIGNATURE.issue(
            f"{origin} was good until {_day(created + lifetime)}",
            file=origin,
            hint="sign again, without a time that the signature is good for",
        )


def _find_keys(configuration: Configuration, key_id: int) -> list[SigningKey]:
    """The keys with this id in any ring, with all their copies."""
    return [key for ring in configuration.rings.values() for key in ring.find(key_id)]


def _check_key(origin: str, keys: list[SigningKey], now: float) -> Iterator[Issue]:
    if not keys:
        return
    name = keys[0].key.fingerprint
    if any(_is_revoked(key) for key in keys):
        yield codes.REVOKED_KEY.issue(
            f"{origin} is signed with {name}, which was revoked",
            file=origin,
            hint="sign again with a key that is good, and take the old one out of the key rings",
        )
    ends = [end for key in keys if (end := _expiry(key)) is not None]
    if len(ends) == len(keys) and max(ends) < now:
        yield codes.EXPIRED_KEY.issue(
            f"{origin} is signed with {name}, which expired on {_day(max(ends))}",
            file=origin,
            hint="extend the key and ship it again, or sign with another one",
        )
    bits = keys[0].key.bits
    if bits < LEAST_BITS and not isinstance(keys[0].key.numbers, CurvePoint):
        yield codes.WEAK_KEY.issue(
            f"{origin} is signed with {name}, which has {bits} bits only",
            file=origin,
            hint=f"use an RSA key of {LEAST_BITS} bits at least",
        )


def _is_revoked(key: SigningKey) -> bool:
    """Whether the key was revoked at all, also where a cluster would not see it."""
    is_subkey_revoked = any(
        statement.kind == SignatureType.SUBKEY_REVOCATION for statement in key.statements
    )
    return key.is_revoked or is_subkey_revoked or key.certificate.overlooks_revocation()


def _expiry(key: SigningKey) -> int | None:
    """When the key, or the primary key above it, expires; None when never."""
    ends = [
        key.key.created + statement.key_lifetime
        for statement in key.statements
        if statement.key_lifetime
    ]
    if key.key.is_subkey:
        ends += [end for end in [_primary_expiry(key.certificate)] if end is not None]
    return min(ends, default=None)


def _primary_expiry(certificate: Certificate) -> int | None:
    ends = [
        certificate.primary.created + statement.key_lifetime
        for statement in certificate.identities.values()
        if statement.key_lifetime
    ]
    return max(ends) if len(ends) == len(certificate.identities) else None


def _check_reference(origin: str, outline: Outline, reference: str) -> Iterator[Issue]:
    try:
        claimed = read_claim(outline.content or b"").reference
    except ClaimRefused:
        return
    if reference and not _is_same_place(claimed, reference):
        yield codes.OTHER_REFERENCE.issue(
            f"{origin} is for {claimed or 'no place'}, and the release is at {reference}",
            file=origin,
            hint="sign again for the pull spec that users are told (clusters do not mind, other"
            " programs that check signatures do), or say where a mirror is of: --published-as",
        )


def _is_same_place(claimed: str, published: str) -> bool:
    """Whether both name the same image: equal, or the same repository where one has a digest."""
    if claimed == published:
        return True
    try:
        left, right = parse_reference(claimed), parse_reference(published)
    except InvalidReference:
        return False
    if left.repository != right.repository:
        return False
    return left.digest == right.digest or not (left.digest and right.digest)


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
