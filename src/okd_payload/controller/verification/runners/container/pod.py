# SPDX-License-Identifier: Apache-2.0
"""A container as a pod of a cluster, with no rights, whose log and artifacts are kept.

What it leaves in ``ARTIFACT_DIR`` it prints at its end (``printed_artifacts``), for which its
program is started by a shell of its image; an image without one says ``artifacts: none``. What
keeps the pod from running is told from what the program says: nodes that go, images that cannot
be pulled and containers that cannot be made say nothing of the release. Namespaces of the level
``restricted`` admit it, unless its stream wants ``podSecurity: baseline`` for an image that runs
as root.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster.kinds import POD
from okd_payload.cluster.pods import PodStatus, decode_pod
from okd_payload.controller.model import RunState
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import (
    ClusterRun,
    deadline_of,
    labels_of_run,
    require_cluster,
)
from okd_payload.controller.verification.contract import make_contract
from okd_payload.controller.verification.endings import clean_words, judge_exit
from okd_payload.controller.verification.printed_artifacts import PRINT_SCRIPT
from okd_payload.controller.verification.run_files import RunOutcome, tell_outcome
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.oci.threads import finish_in_thread

CONTAINER = "run"
ARTIFACT_FOLDER = "/artifacts"
_PULL_PATIENCE = 600.0
"""Seconds for which an image may not be pullable: registries come back, wrong names do not."""
_NOT_STARTED = frozenset({"ContainerCannotRun", "StartError"})
_WRAPPER = f"""\
"$@" & child=$!
trap 'kill "$child" 2>/dev/null' TERM INT
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
({PRINT_SCRIPT})
exit "$code"
"""
"""Runs the program, prints what it left, and ends as it did."""


class PodRunner:
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
        contract = make_contract(context, images)
        contract |= {
            "OKD_PAYLOAD_VARIABLES": " ".join(sorted(contract)),
            "ARTIFACT_DIR": ARTIFACT_FOLDER,
            "HOME": "/tmp",  # noqa: S108 - the container's own
        }
        content = msgspec.json.encode(
            _describe(context, run.name, contract, deadline=deadline_of(context))
        )
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
        status = decode_pod(content).status
        if status.has_ended:
            await run.keep_logs([(run.name, CONTAINER)])
        outcome = await finish_in_thread(_judge, context, status)  # which reads what it left
        if not status.has_ended and self._is_stuck(context, status):
            await run.delete()
            outcome = RunOutcome(state=RunState.ERROR, message=outcome.message)
        told = tell_outcome(context.folder, outcome)
        return msgspec.structs.replace(told, handle=run.handle)

    def _is_stuck(self, context: RunContext, status: PodStatus) -> bool:
        """Whether the pod waits for what will not come."""
        waiting = status.container(CONTAINER).waiting
        if waiting is None:
            return False
        since = context.run.started or self._surroundings.clock.now()
        waited = self._surroundings.clock.now() - since
        return waiting.is_final or (waiting.lacks_image and waited > _PULL_PATIENCE)


def _describe(
    context: RunContext, name: str, contract: dict[str, str], *, deadline: int
) -> dict[str, object]:
    """The pod of the run, which has ``deadline`` seconds."""
    settings = context.verification.runner.settings
    command = list(context.verification.runner.arguments)
    if command and settings.get("artifacts") != "none":
        command = ["/bin/sh", "-c", _WRAPPER, "sh", *command]
    security: dict[str, object] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if settings.get("podSecurity") != "baseline":
        security["runAsNonRoot"] = True  # no user is named: OpenShift chooses one
    limits = {"memory": f"{settings['memory']}Mi"} if settings.get("memory") else {}
    container: dict[str, object] = {
        "name": CONTAINER,
        "image": settings.get("image", ""),
        "command": command,
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
        "activeDeadlineSeconds": deadline,
        "automountServiceAccountToken": bool(settings.get("serviceAccount")),
        "securityContext": security,
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


def _judge(context: RunContext, status: PodStatus) -> RunOutcome:
    if status.phase == "Succeeded":
        return RunOutcome(state=RunState.SUCCEEDED)
    container = status.container(CONTAINER)
    ended, waiting = container.terminated, container.waiting
    if status.phase == "Failed":
        if ended is None or status.reason:  # evicted, out of time, its node gone
            words = clean_words(f"{status.reason}: {status.message}".strip(": "))
            return RunOutcome(state=RunState.ERROR, message=words or "the pod failed")
        if ended.reason in _NOT_STARTED:
            words = clean_words(f"{ended.reason}: {ended.message}")
            return RunOutcome(state=RunState.ERROR, message=words)
        return judge_exit(context.folder, ended.exit_code)
    words = f"{waiting.reason} {waiting.message}" if waiting else status.unscheduled
    return RunOutcome(state=RunState.RUNNING, message=clean_words(words))
