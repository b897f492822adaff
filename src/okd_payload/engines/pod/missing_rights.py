# SPDX-License-Identifier: Apache-2.0
"""Which rights of the table we lack, asked of the server one by one, told all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.engines.pod.rights import Right
from okd_payload.errors import NotPermitted


class MissingRight(msgspec.Struct, frozen=True):
    """A right of the table, and the verbs of it that we lack."""

    right: Right
    verbs: tuple[str, ...]


async def find_missing_rights(
    cluster: Cluster, rights: Sequence[Right], *, namespace: str
) -> list[MissingRight]:
    """What we lack of ``rights`` in the namespace. Raises ClusterUnavailable."""

    async def lacks(right: Right, verb: str) -> bool:
        part = right.subresource
        return not await cluster.may(verb, right.kind, namespace=namespace, subresource=part)

    asked = [(right, verb) for right in rights for verb in right.verbs]
    lacking = await asyncio.gather(*(lacks(right, verb) for right, verb in asked))
    missing = [pair for pair, lacks_it in zip(asked, lacking, strict=True) if lacks_it]
    return [
        MissingRight(right, verbs)
        for right in rights
        if (verbs := tuple(verb for other, verb in missing if other is right))
    ]


async def require_rights(
    cluster: Cluster, rights: Sequence[Right], *, namespace: str, hint: str
) -> None:
    """Raise NotPermitted, which ``hint`` says how to mend, unless we have all of ``rights``.

    Raises ClusterUnavailable.
    """
    missing = await find_missing_rights(cluster, rights, namespace=namespace)
    if missing:
        listed = "; ".join(f"{', '.join(lack.verbs)} {lack.right.resource}" for lack in missing)
        raise NotPermitted(f"rights are missing in namespace {namespace}: {listed}", hint=hint)
