# SPDX-License-Identifier: Apache-2.0
"""Whether the digests of a release are signed by keys that the caller trusts.

The verdict is the one that a cluster with these keys would reach; what is stricter, or tells why,
is an issue beside it. What the release itself says about keys is never asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from okd_payload.clock import Clock
from okd_payload.documents.files import read_file
from okd_payload.issues import Issue
from okd_payload.oci.documents import DocumentAsker
from okd_payload.oci.reference import Reference
from okd_payload.release.sign.sign import ReleaseDigest
from okd_payload.release.verify import codes
from okd_payload.release.verify.trust import Trust
from okd_payload.signing.config_map import ConfigMap
from okd_payload.signing.stores import (
    CombinedStore,
    ConfigMapStore,
    FoundSignature,
    SearchProblem,
    SignatureStore,
    open_store,
    read_config_maps,
)
from okd_payload.signing.stores.model import MAX_SIGNATURE_BYTES, NO_MORE
from okd_payload.signing.strictness import check_strictly
from okd_payload.signing.verification import Verdict, verify_digest

_SIGN_HINT = "sign it with `okd-payload release sign`, or name its store with --signature-store"


class VerifiedDigest(msgspec.Struct, frozen=True, kw_only=True):
    """One digest of a release, and which keys signed it."""

    digest: str
    platform: str = ""
    accepted: bool
    keys: tuple[str, ...] = ()
    """The fingerprints of the trusted keys whose signatures count."""
    signatures: tuple[str, ...] = ()
    """Where these signatures are."""


class VerifiedSignatures(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed, and what was wrong."""

    digests: tuple[VerifiedDigest, ...] = ()
    issues: tuple[Issue, ...] = ()


class FileStore:
    """Signatures in files that the caller names, whatever digest is looked for."""

    def __init__(self, signatures: Sequence[tuple[str, bytes]]) -> None:
        """``signatures`` are names and contents."""
        self._signatures = signatures

    @property
    def description(self) -> str:
        """What it is."""
        return "the files given"

    async def search(self, _digest: str) -> AsyncIterator[FoundSignature | SearchProblem]:
        """All of them, in their order."""
        for name, content in self._signatures:
            yield FoundSignature(content, name)
        yield SearchProblem(f"{self.description}: {NO_MORE}")


def open_signatures(
    files: Sequence[Path], stores: Sequence[str], asker: DocumentAsker
) -> SignatureStore:
    """The signatures in ``files``, and then those in ``stores``. Raises InputError.

    A file in JSON or YAML is a ConfigMap with signatures, any other file a signature.
    """
    plain: list[tuple[str, bytes]] = []
    objects: list[ConfigMap] = []
    for path in files:
        if path.suffix in (".json", ".yaml", ".yml"):
            objects += read_config_maps(path)
        else:
            plain.append((str(path), read_file(path, limit=MAX_SIGNATURE_BYTES)))
    return CombinedStore(
        [
            *([FileStore(plain)] if plain else []),
            *([ConfigMapStore(objects)] if objects else []),
            *(open_store(address, asker) for address in stores),
        ]
    )


async def verify_signatures(
    digests: Sequence[ReleaseDigest],
    trust: Trust,
    store: SignatureStore,
    *,
    clock: Clock,
    published: Reference | None = None,
) -> VerifiedSignatures:
    """Look for signatures of every one of ``digests``, the release's own first.

    What clusters take and publishers should not let pass is an issue too: weak hashes, keys that
    have expired, signatures for another place than ``published``.
    """
    found: list[VerifiedDigest] = []
    issues: list[Issue] = []
    for wanted in digests:
        verdict = await verify_digest(wanted.digest, trust.configuration, store, clock=clock)
        found.append(_describe(wanted, verdict))
        if not verdict.accepted:
            issues += _explain(wanted, verdict)
        place = str(published.with_digest(wanted.digest)) if published else ""
        issues += check_strictly(verdict, trust.configuration, reference=place, clock=clock)
    return VerifiedSignatures(digests=tuple(found), issues=tuple(dict.fromkeys(issues)))


def _describe(wanted: ReleaseDigest, verdict: Verdict) -> VerifiedDigest:
    return VerifiedDigest(
        digest=wanted.digest,
        platform=wanted.platform,
        accepted=verdict.accepted,
        keys=tuple(dict.fromkeys(item.certificate for item in verdict.satisfied)),
        signatures=tuple(dict.fromkeys(item.signature.origin for item in verdict.satisfied)),
    )


def _explain(wanted: ReleaseDigest, verdict: Verdict) -> list[Issue]:
    member = f", the image for {wanted.platform}," if wanted.platform else ""
    code = codes.UNSIGNED_MEMBER if wanted.platform else codes.UNSIGNED_RELEASE
    return [
        code.issue(
            f"{wanted.digest}{member} is not signed by the keys given: {verdict.message}",
            hint=_SIGN_HINT,
        ),
        *(
            codes.REFUSED_SIGNATURE.issue(f"a signature of {wanted.digest}{member}: {cause}")
            for cause in verdict.faults
        ),
    ]
