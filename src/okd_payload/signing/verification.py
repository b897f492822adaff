# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster would take a release: its verdict, and its words.

Each ring of the configuration has to be satisfied by some signature: made by a key of the ring
that may sign, and claiming the digest. One signature may satisfy several rings. The verdict is
a value; only an error in the request itself is raised.

The cluster's verifier is the program that counts, so its oddities are kept (``openpgp``,
``claim``), with one exception: its parallel stores lose a signature now and then, by a race.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from okd_payload.clock import Clock
from okd_payload.documents.go_quote import quote
from okd_payload.signing.claim import Claim, ClaimRefused, check_claim
from okd_payload.signing.configuration import Configuration
from okd_payload.signing.digests import is_verifiable
from okd_payload.signing.openpgp.keyring import KeyRing
from okd_payload.signing.openpgp.message import MessageRefused, open_message
from okd_payload.signing.stores.model import (
    NO_MORE,
    FoundSignature,
    SearchProblem,
    SignatureStore,
)

_NUMBERED = re.compile(r"/signature-[0-9]+(?=: )")


class SatisfiedRing(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the configuration, and what satisfied it."""

    entry: str
    key: str
    """The fingerprint of the key that signed: a primary key or a sub-key."""
    certificate: str
    """The fingerprint of the primary key."""
    claim: Claim
    signature: FoundSignature


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster thinks of a release."""

    digest: str
    message: str = ""
    """Why it refuses; empty when it accepts."""
    causes: tuple[str, ...] = ()
    """What went wrong with each signature and store, in the order met, also on acceptance."""
    satisfied: tuple[SatisfiedRing, ...] = ()
    unsatisfied: tuple[str, ...] = ()
    """Entries that no signature satisfied."""
    examined: tuple[FoundSignature, ...] = ()
    """All signatures that were looked at, in their order."""

    @property
    def accepted(self) -> bool:
        """Whether the cluster takes the release."""
        return not self.message

    @property
    def faults(self) -> list[str]:
        """The causes that are worth telling, each once.

        That a search came to its end is none, and a store that is away is one, though it was
        asked for nine numbers.
        """
        firsts: dict[str, str] = {}
        for cause in self.causes:
            if not cause.endswith(NO_MORE):
                firsts.setdefault(_NUMBERED.sub("", cause), cause)
        return list(firsts.values())


async def verify_digest(
    digest: str, configuration: Configuration | None, store: SignatureStore, *, clock: Clock
) -> Verdict:
    """The verdict about the release with ``digest``.

    ``configuration`` is None for a payload that has none. Stores are searched only as long as a
    ring is unsatisfied.
    """
    obstacle = _find_obstacle(digest, configuration)
    if configuration is None or obstacle:
        return Verdict(digest=digest, message=obstacle)
    remaining = dict(configuration.rings)
    satisfied: list[SatisfiedRing] = []
    causes: list[str] = []
    examined: list[FoundSignature] = []
    async for found in store.search(digest):
        if isinstance(found, SearchProblem):
            causes.append(found.message)
            continue
        examined.append(found)
        for entry, ring in list(remaining.items()):
            try:
                satisfied.append(check_signature(found, digest, entry, ring, clock=clock))
                del remaining[entry]
            except (MessageRefused, ClaimRefused) as refusal:
                causes.append(str(refusal))
        if not remaining:
            break
    names = ", ".join(remaining)
    return Verdict(
        digest=digest,
        message=f"unable to verify {digest} against keyrings: {names}" if remaining else "",
        causes=tuple(causes),
        satisfied=tuple(satisfied),
        unsatisfied=tuple(remaining),
        examined=tuple(examined),
    )


def check_signature(
    found: FoundSignature, digest: str, entry: str, ring: KeyRing, *, clock: Clock
) -> SatisfiedRing:
    """How one signature satisfies one ring. Raises MessageRefused or ClaimRefused."""
    now = datetime.fromtimestamp(clock.now(), UTC)
    message = open_message(found.content, ring, now=now)
    claim = check_claim(message.content, digest)
    return SatisfiedRing(
        entry=entry,
        key=message.signer.key.fingerprint,
        certificate=message.signer.certificate.primary.fingerprint,
        claim=claim,
        signature=found,
    )


def _find_obstacle(digest: str, configuration: Configuration | None) -> str:
    """Why no signature is looked for; empty when one is."""
    if configuration is None:
        return "verification is not possible"
    if not digest:
        return "release images that are not accessed via digest cannot be verified"
    if not is_verifiable(digest):
        return f"the provided release image digest has an invalid format: {quote(digest)}"
    return ""
