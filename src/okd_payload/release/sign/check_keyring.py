# SPDX-License-Identifier: Apache-2.0
"""Whether a key ring does in clusters what its author means.

Clusters lose keys in silence: an Ed25519 key takes the key before it along, a revoked one is
stepped over, and a ring from which nothing is left keeps the cluster's operator from starting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from okd_payload.issues import Issue
from okd_payload.release.sign import codes
from okd_payload.release.sign.certificates import PublicKeyBytes, armour_keys
from okd_payload.release.sign.keyring import KeyRingManifest, make_config_map
from okd_payload.signing import codes as signing_codes
from okd_payload.signing.configuration import (
    KEY_PREFIX,
    UnusableConfiguration,
    load_configuration,
)
from okd_payload.signing.fitness import MAKE_RSA_KEY, why_unreadable
from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.keyring import Certificate, KeyRing, read_key_ring


class DescribedKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key of a ring, for people."""

    fingerprint: str
    identities: tuple[str, ...] = ()
    created: str = ""
    expires: str = ""
    revoked: bool = False


def check_key_ring(ring: KeyRingManifest, *, now: datetime) -> list[Issue]:
    """Everything that is wrong with ``ring``, by the rules of clusters."""
    issues = [
        issue
        for entry, keys in sorted(ring.entries.items())
        for issue in _check_entry(entry, keys, now)
    ]
    if not any(issue.code == signing_codes.UNREADABLE_KEY.code for issue in issues):
        try:
            load_configuration(make_config_map(ring))
        except UnusableConfiguration as error:
            issues.append(codes.UNUSABLE_KEY_RING.issue(error.message, hint=error.hint))
    return issues


def describe_keys(keys: Sequence[PublicKeyBytes]) -> list[DescribedKey]:
    """``keys`` as clusters see them; of those that they cannot read only the fingerprint."""
    described = []
    for key in keys:
        ring = _read(key)
        found = ring.certificates if isinstance(ring, KeyRing) else ()
        described += [_describe(certificate, key) for certificate in found] or [
            DescribedKey(fingerprint=key.fingerprint)
        ]
    return described


def _check_entry(entry: str, keys: Sequence[PublicKeyBytes], now: datetime) -> Iterator[Issue]:
    usable = False
    unreadable = False
    for key in keys:
        name = f"the key {key.fingerprint} of {KEY_PREFIX}{entry}"
        ring = _read(key)
        if not isinstance(ring, KeyRing):
            unreadable = True
            yield signing_codes.UNREADABLE_KEY.issue(
                f"{name} cannot be read by clusters: {ring}",
                component=entry,
                hint=f"it takes the key before it along; {MAKE_RSA_KEY}",
            )
            continue
        for certificate in ring.certificates:
            usable = usable or not certificate.is_revoked
            if certificate.is_revoked:
                yield codes.REVOKED_RING_KEY.issue(
                    f"{name} is revoked: clusters take none of its signatures",
                    component=entry,
                    hint="leave it in until no cluster needs a release that only it has signed, "
                    "then --remove it",
                )
        yield from _check_end(key, name, entry, now)
    if unreadable:
        yield from _find_lost(entry, keys)
    elif not usable:
        yield codes.UNSATISFIABLE_ENTRY.issue(
            f"no key of {KEY_PREFIX}{entry} can sign, and every entry has to be satisfied",
            component=entry,
            hint="clusters with this ring would refuse every update: add a key, or leave it away",
        )


def _check_end(key: PublicKeyBytes, name: str, entry: str, now: datetime) -> Iterator[Issue]:
    end = _end_of(key)
    if end is not None and end <= now:
        yield codes.EXPIRED_RING_KEY.issue(
            f"{name} expired at {end:%Y-%m-%dT%H:%M:%SZ}: clusters do not mind, gpg does",
            component=entry,
            hint="renew it with `gpg --quick-set-expire` and add it again",
        )


def _find_lost(entry: str, keys: Sequence[PublicKeyBytes]) -> Iterator[Issue]:
    """The good keys that clusters lose because of a bad one behind them."""
    try:
        loaded = read_key_ring(armour_keys(keys).encode()).certificates
    except OpenPgpError:
        loaded = ()
    kept = {certificate.primary.fingerprint for certificate in loaded}
    for key in keys:
        if key.fingerprint not in kept and isinstance(_read(key), KeyRing):
            yield signing_codes.LOST_KEY.issue(
                f"the key {key.fingerprint} of {KEY_PREFIX}{entry} is good, and clusters lose it "
                "to the one behind it, which they cannot read",
                component=entry,
                hint="remove the key behind it",
            )


def _read(key: PublicKeyBytes) -> KeyRing | str:
    """The ring that ``key`` alone makes, or why clusters cannot read it."""
    try:
        ring = read_key_ring(armour_keys([key]).encode())
    except OpenPgpError as error:
        return why_unreadable(error)
    return ring.dropped[0].cause if ring.dropped else ring


def _describe(certificate: Certificate, key: PublicKeyBytes) -> DescribedKey:
    end = _end_of(key)
    return DescribedKey(
        fingerprint=certificate.primary.fingerprint,
        identities=tuple(certificate.identities),
        created=_show(datetime.fromtimestamp(certificate.primary.created, UTC)),
        expires=_show(end) if end else "",
        revoked=certificate.is_revoked,
    )


def _end_of(key: PublicKeyBytes) -> datetime | None:
    """When the key expires in the eyes of people's programs; clusters do not ask."""
    from pysequoia import Cert

    try:
        return Cert.from_bytes(key.content).expiration
    except RuntimeError:
        return None


def _show(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
