# SPDX-License-Identifier: Apache-2.0
"""Whether we have all rights of the table, asked of the server one by one, told all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.rights import Right
from okd_payload.issues import Issue


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


def judge_rights(missing: Sequence[MissingRight], *, namespace: str, engine: str) -> list[Issue]:
    """An issue for each kind of objects with all verbs that are missing."""
    remedy = (
        "ask an administrator for the role that `okd-payload deploy tekton` makes"
        if engine == "tekton"
        else "ask an administrator for a role that has it, as `edit` does in most clusters"
    )
    return [
        codes.RIGHT_MISSING.issue(
            f"to {lack.right.reason}, the right to {', '.join(lack.verbs)} {_resource(lack.right)} "
            f"in namespace {namespace} is missing",
            hint=remedy,
        )
        for lack in missing
    ]


def _resource(right: Right) -> str:
    return f"{right.resource}.{right.kind.group}" if right.kind.group else right.resource
