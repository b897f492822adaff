# SPDX-License-Identifier: Apache-2.0
"""Runs in a container image: with buildah on this machine, or as a pod of the cluster.

On this machine it is a local program like any other, which makes a container and removes it, so
it survives a restart of the controller and leaves the same files. In a cluster it is a pod with
no rights: its log is kept, its artifacts are not, because nobody may look into a pod that ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.cluster.kinds import POD
from okd_payload.controller.model import RunState
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import (
    ClusterRun,
    labels_of_run,
    read_logs,
    require_cluster,
)
from okd_payload.controller.verification.contract import make_contract
from okd_payload.controller.verification.endings import clean_words, judge_exit
from okd_payload.controller.verification.run_files import (
    HALF_LOG_BYTES,
    RunOutcome,
    tell_outcome,
    write_log,
)
from okd_payload.controller.verification.runner import RunContext, Runner, RunUpdate
from okd_payload.controller.verification.runners.command import CommandRunner
from okd_payload.errors import ClusterError

CONTAINER = "run"
ARTIFACT_FOLDER = "/artifacts"
_STORAGE = ("REGISTRY_AUTH_FILE", "CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER", "XDG_RUNTIME_DIR")
_SCRIPT = """
image=$1; shift
container=$(buildah from --pull=missing "$image") || exit 126
trap 'buildah rm "$container" >/dev/null 2>&1' EXIT
trap 'exit 143' TERM
set -- -- "$container" "$@"
for name in $OKD_PAYLOAD_VARIABLES; do set -- --env "$name=$(printenv "$name")" "$@"; done
buildah run --isolation chroot --volume "$ARTIFACT_DIR:/artifacts:rw" \\
  --env ARTIFACT_DIR=/artifacts --env HOME=/tmp "$@"
"""


class ContainerRunner:
    """Implements ``Runner`` with containers, wherever a verification wants them."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._near = _BuildahRunner(surroundings)
        self._far = _PodRunner(surroundings)

    async def start(self, context: RunContext) -> RunUpdate:
        """Start the container, unless that was done. Raises OkdPayloadError."""
        return await self._runner_of(context).start(context)

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far it is. Raises OkdPayloadError."""
        return await self._runner_of(context).poll(context)

    async def cancel(self, context: RunContext) -> None:
        """End it. Raises OkdPayloadError."""
        await self._runner_of(context).cancel(context)

    def _runner_of(self, context: RunContext) -> Runner:
        where = context.verification.runner.settings.get("where", "")
        is_far = where == "cluster" or (not where and self._surroundings.cluster is not None)
        return self._far if is_far else self._near


class _BuildahRunner(CommandRunner):
    """The container as a local program."""

    def command_of(self, context: RunContext) -> Sequence[str]:
        """Make the container, run the command in it, and remove it."""
        image = context.verification.runner.settings.get("image", "")
        return ("/bin/sh", "-c", _SCRIPT, "sh", image, *context.verification.runner.arguments)

    def inherited(self, context: RunContext) -> Sequence[str]:
        """What says where images and logins are, too."""
        return (*super().inherited(context), *_STORAGE)


class _Terminated(msgspec.Struct, frozen=True, rename="camel"):
    exit_code: int = 0
    reason: str = ""


class _Waiting(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _ContainerState(msgspec.Struct, frozen=True):
    terminated: _Terminated | None = None
    waiting: _Waiting | None = None


class _ContainerStatus(msgspec.Struct, frozen=True):
    name: str
    state: _ContainerState = _ContainerState()


class _PodStatus(msgspec.Struct, frozen=True, rename="camel"):
    phase: str = ""
    reason: str = ""
    message: str = ""
    container_statuses: tuple[_ContainerStatus, ...] | None = None

    @property
    def container(self) -> _ContainerState:
        """Of the one container that there is."""
        found = (each.state for each in self.container_statuses or () if each.name == CONTAINER)
        return next(found, _ContainerState())


class _Pod(msgspec.Struct, frozen=True):
    status: _PodStatus = _PodStatus()


class _PodRunner:
    """The container as a pod."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def start(self, context: RunContext) -> RunUpdate:
        """Make the pod, unless it is there."""
        cluster = require_cluster(self._surroundings.cluster, "container")
        run = ClusterRun(cluster, POD, context)
        images = await self._surroundings.database.read(
            lambda unit: releases.read_inputs(unit, context.release.name)
        )
        contract = make_contract(context, images) | {
            "ARTIFACT_DIR": ARTIFACT_FOLDER,
            "HOME": "/tmp",  # noqa: S108 - the container's own
        }
        content = msgspec.json.encode(describe(context, run.name, contract))
        return await self._tell(context, run, await run.ensure(content))

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far it is."""
        cluster = require_cluster(self._surroundings.cluster, "container")
        run = ClusterRun(cluster, POD, context)
        found = await run.read()
        return run.gone() if found is None else await self._tell(context, run, found)

    async def cancel(self, context: RunContext) -> None:
        """Delete the pod."""
        cluster = require_cluster(self._surroundings.cluster, "container")
        run = ClusterRun(cluster, POD, context)
        await cluster.delete(POD, run.name, namespace=run.namespace)

    async def _tell(self, context: RunContext, run: ClusterRun, content: bytes) -> RunUpdate:
        try:
            status = msgspec.json.decode(content, type=_Pod).status
        except msgspec.MsgspecError as error:
            raise ClusterError(f"the cluster gives no pod: {error}") from error
        if status.phase in ("Succeeded", "Failed"):
            cluster = require_cluster(self._surroundings.cluster, "container")
            log = await read_logs(
                cluster, [(run.name, CONTAINER)], namespace=run.namespace, bound=HALF_LOG_BYTES
            )
            write_log(context.folder, log)
        told = tell_outcome(context.folder, _judge(context, status))
        return msgspec.structs.replace(told, handle=run.handle)


def describe(context: RunContext, name: str, contract: dict[str, str]) -> dict[str, object]:
    """The pod of the run."""
    settings = context.verification.runner.settings
    limits = {"memory": f"{settings['memory']}Mi"} if settings.get("memory") else {}
    container: dict[str, object] = {
        "name": CONTAINER,
        "image": settings.get("image", ""),
        "command": list(context.verification.runner.arguments),
        "env": [{"name": key, "value": value} for key, value in sorted(contract.items())],
        "resources": {"limits": limits} if limits else {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "artifacts", "mountPath": ARTIFACT_FOLDER}],
    }
    spec: dict[str, object] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": max(1, int(context.verification.timeout)),
        "automountServiceAccountToken": bool(settings.get("serviceAccount")),
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "artifacts", "emptyDir": {}}],
    }
    if account := settings.get("serviceAccount"):
        spec["serviceAccountName"] = account
    return {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": {"name": name, "labels": labels_of_run(context)},
        "spec": spec,
    }


def _judge(context: RunContext, status: _PodStatus) -> RunOutcome:
    if status.phase == "Succeeded":
        return RunOutcome(state=RunState.SUCCEEDED)
    ended = status.container.terminated
    if status.phase == "Failed" and ended is not None and not status.reason:
        return judge_exit(context.folder, ended.exit_code)
    if status.phase == "Failed":  # evicted, out of time, its node gone: not the release's fault
        words = clean_words(f"{status.reason}: {status.message}".strip(": "))
        return RunOutcome(state=RunState.ERROR, message=words or "the pod failed")
    waiting = status.container.waiting
    words = clean_words(f"{waiting.reason} {waiting.message}") if waiting else ""
    return RunOutcome(state=RunState.RUNNING, message=words)
