# SPDX-License-Identifier: Apache-2.0
"""Finding out what a deployment would change, without changing anything.

The cluster itself is asked what it would make of each object: only it knows what webhooks fill
in, which fields others own and what admission refuses. Where the namespace does not exist the
server answers nothing about objects in it; then they are compared with nothing, and tried as
soon as the namespace is there (``carry_out``).
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.engines.tekton.deploying import codes
from okd_payload.engines.tekton.deploying.changes import Action, DeploymentChanges, ObjectChange
from okd_payload.engines.tekton.deploying.difference import canonical
from okd_payload.engines.tekton.deploying.merging import merge_patch
from okd_payload.engines.tekton.deploying.objects import (
    NAMESPACE_LABEL,
    DesiredState,
    ManagedObject,
    is_ours,
    read_metadata,
)
from okd_payload.errors import (
    ClusterError,
    ClusterUnavailable,
    Conflict,
    NoSuchKind,
    NoSuchObject,
    NotPermitted,
)
from okd_payload.issues import Issue
from okd_payload.release.concurrency import map_concurrently

PRUNED_KINDS = (
    kinds.CRON_JOB,
    kinds.EVENT_LISTENER,
    kinds.TRIGGER_BINDING,
    kinds.TRIGGER_TEMPLATE,
    kinds.PIPELINE,
    kinds.TASK,
    kinds.CONFIG_MAP,
    kinds.NETWORK_POLICY,
    kinds.CLUSTER_ROLE_BINDING,
    kinds.CLUSTER_ROLE,
    kinds.ROLE_BINDING,
    kinds.ROLE,
    kinds.SERVICE_ACCOUNT,
)
"""What may have been deployed once, in the order in which it is removed: what starts work first,
what it stands on last. Runs, Secrets and volumes are never among it."""

_AT_ONCE = 8


async def survey(
    cluster: Cluster, desired: DesiredState, *, overrule: bool = False
) -> DeploymentChanges:
    """What ``desired`` would change; ``overrule`` takes back what others have changed.

    Raises ClusterUnavailable, and NotPermitted for what may not even be read.
    """
    makes_namespace = await is_absent(cluster, desired.namespace)
    surveyor = _Surveyor(cluster, desired, overrule=overrule, can_try=not makes_namespace)
    wanted = await map_concurrently(surveyor.compare, desired.objects, at_once=_AT_ONCE)
    found = await surveyor.list_all()
    names = {(each.kind, each.name) for each in desired.objects}
    superfluous = [
        ObjectChange(action=Action.REMOVE, object=each, before=each.content)
        for each in found
        if (each.kind, each.name) not in names
    ]
    return DeploymentChanges(
        namespace=desired.namespace,
        makes_namespace=makes_namespace,
        changes=(*(each for each in wanted if each), *superfluous),
        issues=tuple(surveyor.issues),
    )


async def survey_removal(cluster: Cluster, desired: DesiredState) -> DeploymentChanges:
    """What removing the deployment would take away; the namespace only when we made it."""
    surveyor = _Surveyor(cluster, desired)
    found = await surveyor.list_all()
    namespace = await _find_namespace(cluster, desired.namespace)
    if namespace is not None and is_ours(read_metadata(namespace), desired.marks):
        found.append(ManagedObject(kind=kinds.NAMESPACE, name=desired.namespace, content=namespace))
    return DeploymentChanges(
        namespace=desired.namespace,
        makes_namespace=False,
        changes=tuple(
            ObjectChange(action=Action.REMOVE, object=each, before=each.content) for each in found
        ),
    )


async def is_absent(cluster: Cluster, namespace: str) -> bool:
    """Whether there is no such namespace; who may not look works in one that others made."""
    try:
        return await find(cluster, kinds.NAMESPACE, namespace) is None
    except NotPermitted:
        return False


async def _find_namespace(cluster: Cluster, name: str) -> bytes | None:
    try:
        return await find(cluster, kinds.NAMESPACE, name)
    except NotPermitted:
        return None  # who may not look has not made it


async def find(
    cluster: Cluster, kind: ObjectKind, name: str, *, namespace: str = ""
) -> bytes | None:
    """The object, None when it is not there."""
    try:
        return await cluster.get(kind, name, namespace=namespace)
    except NoSuchObject:
        return None


class _Surveyor:
    """Compares what is there with what is wanted, and collects what stands in the way."""

    def __init__(
        self,
        cluster: Cluster,
        desired: DesiredState,
        *,
        overrule: bool = False,
        can_try: bool = True,
    ) -> None:
        self._cluster = cluster
        self._desired = desired
        self._overrule = overrule
        self._can_try = can_try
        self.issues: list[Issue] = []

    async def compare(self, wanted: ManagedObject) -> ObjectChange | None:
        """What would become of ``wanted``; None when it cannot be had, which is an issue."""
        if wanted.kind.namespaced and not self._can_try:
            return ObjectChange(action=Action.CREATE, object=wanted, after=wanted.content)
        place = self._desired.namespace if wanted.kind.namespaced else ""
        try:
            before = await find(self._cluster, wanted.kind, wanted.name, namespace=place)
        except NotPermitted as error:
            if wanted.kind != kinds.NAMESPACE:
                self.issues.append(judge(wanted, error))
            return None
        if before is not None and not is_ours(read_metadata(before), self._desired.marks):
            if wanted.kind != kinds.NAMESPACE:
                self._add_foreign(wanted)
            return None  # a namespace that somebody else made is used as it is
        tried = await self._try(wanted, before, place)
        if tried is None or before is None or tried.takes_over:
            return tried
        same = tried.after is not None and canonical(before) == canonical(tried.after)
        return msgspec.structs.replace(tried, action=Action.KEEP if same else Action.CHANGE)

    async def _try(
        self, wanted: ManagedObject, before: bytes | None, place: str
    ) -> ObjectChange | None:
        """What the cluster would make of ``wanted``; None when it would not have it."""
        takes_over = False
        try:
            after = await self._cluster.apply(
                wanted.kind, wanted.content, namespace=place, dry_run=True
            )
        except NoSuchObject:
            # What it names is made by this very deployment: a binding's role, above all.
            after = wanted.content
        except Conflict as error:
            if before is None or not self._overrule:
                self.issues.append(judge(wanted, error))
                return None
            after, takes_over = merge_patch(before, wanted.content), True
        except ClusterUnavailable:
            raise
        except ClusterError as error:
            self.issues.append(judge(wanted, error))
            return None
        return ObjectChange(
            action=Action.CREATE if before is None else Action.CHANGE,
            object=wanted,
            before=before,
            after=after,
            takes_over=takes_over,
        )

    async def list_all(self) -> list[ManagedObject]:
        """All objects that this deployment made, in the order in which they are removed."""
        looked_at = [
            kind for kind in PRUNED_KINDS if kind.namespaced or not self._desired.namespaced_only
        ]
        listed = await map_concurrently(self._list, looked_at, at_once=_AT_ONCE)
        return [each for objects in listed for each in objects]

    async def _list(self, kind: ObjectKind) -> list[ManagedObject]:
        """The objects of ``kind`` that this deployment made."""
        if kind.namespaced and not self._can_try:
            return []
        place = self._desired.namespace if kind.namespaced else ""
        selector = self._desired.selector
        if not kind.namespaced:
            selector += f",{NAMESPACE_LABEL}={self._desired.namespace}"
        try:
            listed = await self._cluster.list(kind, namespace=place, labels=selector)
        except (NoSuchKind, NotPermitted):
            return []  # whoever may not look at a kind of objects has made none
        found = []
        for content in listed.items:
            metadata = read_metadata(content)
            if is_ours(metadata, self._desired.marks):
                found.append(ManagedObject(kind=kind, name=metadata.name, content=content))
        return sorted(found, key=lambda each: each.name)

    def _add_foreign(self, wanted: ManagedObject) -> None:
        self.issues.append(
            codes.FOREIGN_OBJECT.issue(
                f"{wanted} in namespace {self._desired.namespace} was not made by this deployment",
                hint="choose another namespace with --namespace, or remove the object yourself",
            )
        )


def judge(wanted: ManagedObject, error: ClusterError) -> Issue:
    """The issue that ``error`` is when ``wanted`` is tried."""
    if isinstance(error, Conflict):
        return codes.FIELD_CONFLICT.issue(
            f"{wanted}: {error.message}",
            hint="--force-conflicts takes the fields back; else let the other keep the object",
        )
    if isinstance(error, NoSuchKind):
        return codes.KIND_MISSING.issue(f"{wanted}: {error.message}", hint=error.hint)
    if isinstance(error, NotPermitted):
        return codes.RIGHT_MISSING.issue(f"{wanted}: {error.message}", hint=error.hint)
    return codes.OBJECT_REFUSED.issue(f"{wanted}: {error.message}", hint=error.hint)
