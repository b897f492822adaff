# SPDX-License-Identifier: Apache-2.0
"""What the cluster would say to a build, asked without making one: creations that are not kept.

A dry run goes through everything that a creation goes through: rights, schemas, webhooks, quota,
limits, pod security. So it finds what nobody thought of looking for.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.cluster.objects import decode_object
from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.readiness.objects import Pod
from okd_payload.engines.pod.readiness.probe_pod import ProbePod
from okd_payload.engines.pod.readiness.security import lost_user_namespace
from okd_payload.errors import (
    AlreadyThere,
    ClusterUnavailable,
    NoSuchKind,
    NoSuchObject,
    NotPermitted,
    QuotaExceeded,
    Refused,
)
from okd_payload.issues import Issue


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Step(msgspec.Struct, frozen=True):
    name: str
    image: str
    command: tuple[str, ...]


class _TaskSpec(msgspec.Struct, frozen=True):
    steps: tuple[_Step, ...]


class _RunSpec(msgspec.Struct, frozen=True, rename="camel"):
    task_spec: _TaskSpec


class _TaskRun(msgspec.Struct, frozen=True, rename="camel"):
    metadata: _Named
    spec: _RunSpec
    api_version: str = kinds.TASK_RUN.api_version
    kind: str = kinds.TASK_RUN.kind


async def try_pod(cluster: Cluster, pod: ProbePod, *, namespace: str) -> list[Issue]:
    """What keeps a build's pod from being made. Raises ClusterUnavailable."""
    answered = await _attempt(cluster, kinds.POD, pod.encode(), namespace)
    if isinstance(answered, Issue):
        return [answered]
    if answered is None or pod.spec.host_users is None:
        return []
    kept = decode_object(answered, Pod, kinds.POD).spec.host_users
    return [] if kept is False else [lost_user_namespace()]


async def try_task_run(cluster: Cluster, pod: ProbePod, *, namespace: str) -> list[Issue]:
    """What keeps a TaskRun from being made: Tekton's webhooks answer here, or do not."""
    step = _Step("trial", pod.image, ("true",))
    run = _TaskRun(_Named(pod.name), _RunSpec(_TaskSpec((step,))))
    answered = await _attempt(cluster, kinds.TASK_RUN, msgspec.json.encode(run), namespace)
    return [answered] if isinstance(answered, Issue) else []


async def _attempt(
    cluster: Cluster, kind: ObjectKind, content: bytes, namespace: str
) -> bytes | Issue | None:
    """The object as it would be; or what is in the way; None when we may not even try."""
    try:
        return await cluster.create(kind, content, namespace=namespace, dry_run=True)
    except (NotPermitted, NoSuchKind, AlreadyThere):
        return None  # told elsewhere
    except NoSuchObject as error:
        return codes.NAMESPACE_UNUSABLE.issue(error.message, hint=error.hint)
    except QuotaExceeded as error:
        return codes.LITTLE_ROOM.issue(error.message, hint=error.hint)
    except Refused as error:
        return codes.ADMISSION_REFUSES.issue(error.message, hint=error.hint)
    except ClusterUnavailable as error:
        if "webhook" not in error.message:
            raise
        return codes.ADMISSION_SILENT.issue(
            error.message, hint="look whether the pods behind this webhook run"
        )
