# SPDX-License-Identifier: Apache-2.0
"""Whether the cluster can verify the update: with the keys that its running release brought.

Keys come from the first ConfigMap among the manifests that the operator kept, so that a payload
whose ConfigMap is not for the cluster's profile has no keys at all. What the update itself
carries does not count before it runs.
"""

from __future__ import annotations

from collections.abc import Callable

from okd_payload.clock import Clock
from okd_payload.release.accept import codes
from okd_payload.release.accept.model import Check, conclude
from okd_payload.release.cluster.payload import LoadedPayload
from okd_payload.signing.config_map import decode_config_map
from okd_payload.signing.configuration import (
    Configuration,
    UnusableConfiguration,
    find_configuration,
)
from okd_payload.signing.stores import CombinedStore, SignatureStore
from okd_payload.signing.verification import Verdict, verify_digest

NAME = "signature"
REASON = "ImageVerificationFailed"

OpenStores = Callable[[Configuration], SignatureStore]
"""Gives the stores in which a cluster with this configuration looks for signatures."""


def find_keys(running: LoadedPayload) -> Configuration | None:
    """The keys and stores that the running release carries. Raises UnusableConfiguration."""
    decoded = (decode_config_map(manifest.item.value) for manifest in running.manifests)
    return find_configuration(config_map for config_map in decoded if config_map)


async def check_signature(
    digest: str,
    running: LoadedPayload,
    open_stores: OpenStores,
    *,
    clock: Clock,
    force: bool = False,
) -> Check:
    """Whether a cluster on ``running`` verifies the update with ``digest``."""
    try:
        keys = find_keys(running)
    except UnusableConfiguration as error:
        issue = codes.UNUSABLE_UPDATE_KEYS.issue(error.message, hint=error.hint or _KEYS_HINT)
        return conclude(NAME, [issue], message=error.message)
    stores = open_stores(keys) if keys else CombinedStore([])
    verdict = await verify_digest(digest, keys, stores, clock=clock)
    if verdict.accepted:
        return conclude(NAME, detail=_describe(verdict))
    message = f"The update cannot be verified: {verdict.message}"
    code = codes.UNVERIFIED_UPDATE if keys else codes.NO_UPDATE_KEYS
    hint = _explain(verdict) if keys else _NO_KEYS_HINT
    return conclude(
        NAME,
        [code.issue(f"{REASON}: {message}", hint=hint)],
        reason=REASON,
        message=message,
        causes=verdict.causes,
        force=force,
    )


_KEYS_HINT = "no cluster runs this release: its operator does not start with these keys"
_NO_KEYS_HINT = (
    "put a cluster-update-keys image into the running release; "
    "until then only --force brings its clusters to any other"
)


def _describe(verdict: Verdict) -> str:
    return "; ".join(
        f"{ring.entry} by {ring.certificate} ({ring.signature.origin})"
        for ring in verdict.satisfied
    )


def _explain(verdict: Verdict) -> str:
    """What was found instead, and what to do."""
    found = "".join(f"\n- {cause}" for cause in verdict.faults)
    if found:
        return f"what was found does not do:{found}"
    return (
        "no signature was found: sign the release with a key that the running release carries "
        "(okd-payload release sign), and put it into one of its stores, or name the store with "
        "--signature-store"
    )
