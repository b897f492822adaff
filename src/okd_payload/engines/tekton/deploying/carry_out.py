# SPDX-License-Identifier: Apache-2.0
"""Doing what was decided, in an order in which nothing is left half-made.

What others stand on comes first, and what starts work comes last, so that an interruption leaves
objects that nothing uses yet. When something goes wrong, what this run created is removed again,
last things first; what it changed is left as it is, since it was as wanted, and told: the same
command goes on from there. Nothing superfluous is removed before everything wanted is in place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.tekton.deploying.changes import Action, DeploymentChanges, ObjectChange
from okd_payload.engines.tekton.deploying.objects import DesiredState, ManagedObject
from okd_payload.errors import ClusterError, NoSuchKind, PartlyDone
from okd_payload.issues import Issue

Try = Callable[[], Awaitable[DeploymentChanges]]
"""Surveys once more, as soon as the namespace is there."""


class CarriedOut(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended."""

    changes: DeploymentChanges
    """As they were in the end: with a new namespace more is known than beforehand."""
    issues: tuple[Issue, ...] = ()
    """What the cluster refused; then nothing was left behind."""


async def carry_out(
    cluster: Cluster, desired: DesiredState, changes: DeploymentChanges, *, again: Try
) -> CarriedOut:
    """Do what ``changes`` says, which has no issues that block.

    When it cannot be done, what was created is removed again; then it raises ClusterError, or
    PartlyDone with the names of what stays changed.
    """
    created: list[ManagedObject] = []
    altered: list[ManagedObject] = []
    try:
        if changes.makes_namespace:
            made = await _make_namespace(cluster, changes, created)
            changes = _with_namespace(await again(), made)
            if any(issue.blocks for issue in changes.issues):
                await _undo(cluster, desired.namespace, created)
                return CarriedOut(changes=changes, issues=changes.issues)
        for change in changes.changes:
            if change.object in created:
                continue
            await _make(cluster, desired.namespace, change, created)
            altered += [change.object] if change.action is Action.CHANGE else []
        for change in changes.of(Action.REMOVE):
            await _remove(cluster, desired.namespace, change.object)
            altered.append(change.object)
    except asyncio.CancelledError:
        await _undo(cluster, desired.namespace, created)
        raise
    except ClusterError as error:
        await _undo(cluster, desired.namespace, created)
        if not altered:
            raise
        raise PartlyDone(
            f"{error.message}; what was created is removed again, what was changed stays so: "
            f"{', '.join(map(str, altered))}",
            hint="; ".join(filter(None, (error.hint, "the same command goes on from there"))),
        ) from error
    return CarriedOut(changes=changes)


async def remove(cluster: Cluster, changes: DeploymentChanges) -> None:
    """Take away what ``changes`` lists, and wait until the namespace is gone."""
    for change in changes.of(Action.REMOVE):
        await _remove(cluster, changes.namespace, change.object)


async def _make_namespace(
    cluster: Cluster, changes: DeploymentChanges, created: list[ManagedObject]
) -> tuple[ObjectChange, ...]:
    made = tuple(each for each in changes.changes if each.object.kind == kinds.NAMESPACE)
    for change in made:
        created.append(change.object)
        await cluster.apply(kinds.NAMESPACE, change.object.content)
    return made


def _with_namespace(
    changes: DeploymentChanges, made: tuple[ObjectChange, ...]
) -> DeploymentChanges:
    """``changes`` as they are now, with the namespace among what was created by then."""
    others = tuple(each for each in changes.changes if each.object.kind != kinds.NAMESPACE)
    return msgspec.structs.replace(changes, changes=(*made, *others), makes_namespace=True)


async def _make(
    cluster: Cluster, namespace: str, change: ObjectChange, created: list[ManagedObject]
) -> None:
    """Create or change one object; ``created`` learns of it before the cluster does."""
    wanted = change.object
    if change.action not in (Action.CREATE, Action.CHANGE):
        return
    place = namespace if wanted.kind.namespaced else ""
    if change.action is Action.CREATE:
        created.append(wanted)
    if change.takes_over:
        # A merge patch takes any field; applied afterwards, equal fields are no conflict.
        await cluster.patch(wanted.kind, wanted.name, wanted.content, namespace=place)
    await cluster.apply(wanted.kind, wanted.content, namespace=place)


async def _remove(cluster: Cluster, namespace: str, superfluous: ManagedObject) -> None:
    place = namespace if superfluous.kind.namespaced else ""
    is_namespace = superfluous.kind == kinds.NAMESPACE
    await cluster.delete(superfluous.kind, superfluous.name, namespace=place, wait=is_namespace)


async def _undo(cluster: Cluster, namespace: str, created: Sequence[ManagedObject]) -> None:
    """Remove what was created, last first. Raises PartlyDone for what cannot be removed."""
    left: list[str] = []
    for each in reversed(created):
        try:
            await _remove(cluster, namespace, each)
        except NoSuchKind:
            continue
        except ClusterError as error:
            left.append(f"{each} ({error.message})")
    if left:
        raise PartlyDone(
            f"the deployment failed, and could not be undone: {'; '.join(left)}",
            hint="the same command goes on with it; with --remove it takes it away",
        )
