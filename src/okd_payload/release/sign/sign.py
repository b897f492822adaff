# SPDX-License-Identifier: Apache-2.0
"""Signing a release: one signature for each digest that users may ask for, and for each key.

The digest of a release is that of its manifest, of an index the index's own. Whoever mirrors an
index for one machine asks for the member, so members are signed too. Each key makes a message of
its own: clusters refuse a message with two signers.

Whatever is signed is read back by the rules of clusters, against the public key, before it goes
anywhere; and again from where it went.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from okd_payload.clock import Clock
from okd_payload.errors import ContentError, SigningError
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image
from okd_payload.oci.reference import Reference
from okd_payload.release.new.signature_message import encode_message
from okd_payload.signing.claim import check_claim
from okd_payload.signing.fitness import require_fit, require_verifiable
from okd_payload.signing.openpgp.keyring import KeyRing
from okd_payload.signing.openpgp.message import open_message
from okd_payload.signing.publication import Placed, SignatureTarget, place_signature
from okd_payload.signing.signer import Signer

_NO_PLATFORM = "unknown"


class ReleaseDigest(msgspec.Struct, frozen=True, kw_only=True):
    """One digest by which users may ask for a release."""

    digest: Digest
    platform: str = ""
    """The machine that the image is for; empty for what the release's own pull spec means."""


class ClaimOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What signatures say beside the digest."""

    identity: Reference
    """The repository that the release is, or will be, published in."""
    timestamp: int
    creator: str = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature of one digest by one key, as clusters read it."""

    digest: Digest
    platform: str
    reference: str
    """The pull spec in the claim."""
    fingerprint: str
    message: bytes


class ReleaseSigner:
    """One key, found fit for clusters, that signs the digests of releases."""

    def __init__(self, signer: Signer, *, clock: Clock) -> None:
        """Raises SigningError when clusters cannot verify signatures of the key."""
        self._signer = signer
        self._clock = clock
        self._name = f"the key {signer.fingerprint}"
        self._ring = require_fit(signer.public_key, name=self._name)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the key."""
        return self._signer.fingerprint

    async def sign(self, wanted: ReleaseDigest, options: ClaimOptions) -> Signature:
        """A signature of ``wanted``. Raises SigningError."""
        content = encode_message(
            options.identity,
            wanted.digest,
            timestamp=options.timestamp,
            creator=options.creator,
        )
        message = await self._signer.sign_message(content)
        read = require_verifiable(message, self._ring, name=self._name, now=self._now())
        return Signature(
            digest=wanted.digest,
            platform=wanted.platform,
            reference=check_claim(read.content, wanted.digest).reference,
            fingerprint=self.fingerprint,
            message=message,
        )

    async def place(self, signature: Signature, target: SignatureTarget) -> Placed:
        """Put ``signature`` into ``target`` and read it back as clusters do.

        Raises SigningError when what is there afterwards is not a good signature.
        """

        def is_same(found: bytes) -> bool:
            return self.says_same(found, signature)

        placed = await place_signature(target, signature.digest, signature.message, is_same=is_same)
        stored = await target.read(signature.digest, placed.number)
        if stored is None or not is_same(stored):
            raise SigningError(
                f"{target.name} does not give out signature-{placed.number} of "
                f"{signature.digest} as it was stored",
                hint="clusters could not verify the release: look at what the server serves there",
            )
        return placed

    def says_same(self, found: bytes, signature: Signature) -> bool:
        """Whether ``found`` is a good signature of this key that says what ``signature`` says."""
        return _says(found, self._ring, signature, now=self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def find_digests(image: Image) -> list[ReleaseDigest]:
    """The digests to sign of a release: its own, and those of an index's members.

    Attestations that some builders list beside images are left out: nobody installs them.
    """
    found = [ReleaseDigest(digest=image.referenced.digest)]
    if image.referenced.is_index:
        found += [
            ReleaseDigest(digest=member.digest, platform=str(member.platform or ""))
            for member in image.referenced.index().manifests
            if member.platform is None or member.platform.architecture != _NO_PLATFORM
        ]
    return found


async def sign_release(
    image: Image, signers: Sequence[ReleaseSigner], options: ClaimOptions
) -> list[Signature]:
    """Signatures of every digest of ``image`` by every key, in this order. Raises SigningError."""
    return [
        await signer.sign(wanted, options) for wanted in find_digests(image) for signer in signers
    ]


def _says(message: bytes, ring: KeyRing, signature: Signature, *, now: datetime) -> bool:
    try:
        claim = check_claim(open_message(message, ring, now=now).content, signature.digest)
    except ContentError:
        return False
    return claim.reference == signature.reference
