# SPDX-License-Identifier: Apache-2.0
"""Runs the pods of TaskRuns: the scheduler and the kubelet of a cluster with one node.

    cluster.controllers.append(Node(Script(etcd=[fails(3), SUCCEEDED])))

A pod is scheduled, gets its network, runs its init containers, starts all steps at once and lets
them work one after the other, as ``Outcome`` says; time passes on the cluster's clock. A pod that
is deleted is told to end and goes after its grace period. Steps begin when the controller marks
the pod as ready, so that a controller that is away holds up what has not begun.

Not imitated: room on the node (each pod fits unless its outcome says otherwise), restarts, probes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from okd_payload.cluster import Change
from okd_payload.cluster.kinds import POD, TASK_RUN
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    labels_of,
    list_at,
    metadata_of,
    name_of,
    namespace_of,
    uid_of,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.tekton.controllers.outcomes import (
    SUCCEEDED,
    Attempt,
    Decide,
    Fault,
    Outcome,
    StepOutcome,
)
from okd_payload.testing.tekton.controllers.pod_status import (
    NODE,
    PodStatus,
    scheduled,
    termination_message,
    unschedulable,
)

_MOST_RESULT_BYTES = 4096
_TOO_LARGE = "Termination message is above max allowed size 4096, caused by large task result.\n"
_READY = "tekton.dev/ready"
_LAST_SECONDS = 1.1
"""From the end of the last container to the phase of the pod."""
_BACK_OFF_SECONDS = 15.0
_LOST_SECONDS = 40.0
_TERM_SECONDS = 0.5
_SIGNALLED = 255


class Node:
    """A controller that runs the pods of TaskRuns."""

    def __init__(self, decide: Decide = lambda _: SUCCEEDED) -> None:
        self.running: set[str] = set()
        """The names of TaskRuns whose steps work now."""
        self.most_running = 0
        """How many of them there were at most."""
        self._decide = decide
        self._lives: dict[str, _Life] = {}
        self._attempts: dict[tuple[str, str], int] = defaultdict(int)

    async def __call__(self, cluster: SimulatedCluster) -> None:
        """Run pods for ever."""
        async with asyncio.TaskGroup() as group:
            async for change, pod in cluster.changes(POD):
                self._react(cluster, group, change, pod)

    def _react(
        self,
        cluster: SimulatedCluster,
        group: asyncio.TaskGroup,
        change: Change,
        pod: JsonObject,
    ) -> None:
        run = cluster.find(
            TASK_RUN, labels_of(pod).get("tekton.dev/taskRun", ""), namespace=namespace_of(pod)
        )
        life = self._lives.get(uid_of(pod))
        if change is Change.DELETED:
            if life is not None:
                del self._lives[uid_of(pod)]
                life.stop()
        elif life is None and run is not None and "phase" in pod.get("status", {"phase": ""}):
            key = (namespace_of(pod), name_of(pod))
            attempt = Attempt(run, name_of(pod), self._attempts[key], _printer(cluster, pod))
            self._attempts[key] += 1
            life = _Life(self, cluster, pod, attempt)
            self._lives[uid_of(pod)] = life
            life.task = group.create_task(life.live(self._decide(attempt)))
        elif life is not None and metadata_of(pod).get("deletionTimestamp"):
            if not life.ending:
                life.stop()
                life.task = group.create_task(life.end())
        elif life is not None and _READY in (metadata_of(pod).get("annotations") or {}):
            life.ready.set()

    def works(self, run: str) -> None:
        """The steps of a run begin."""
        self.running.add(run)
        self.most_running = max(self.most_running, len(self.running))


class _Life:
    """One pod on the node."""

    def __init__(
        self, node: Node, cluster: SimulatedCluster, pod: JsonObject, attempt: Attempt
    ) -> None:
        self.ready = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.ending = False
        self._node = node
        self._cluster = cluster
        self._clock = cluster.state.clock
        self._attempt = attempt
        self._name, self._namespace, self._uid = name_of(pod), namespace_of(pod), uid_of(pod)
        self._status = PodStatus(pod)
        self._results: list[tuple[str, object]] = []

    def stop(self) -> None:
        """The pod does nothing more."""
        self._node.running.discard(self._attempt.name)
        if self.task is not None:
            self.task.cancel()

    async def live(self, outcome: Outcome) -> None:
        """From the scheduler to the end of the last container."""
        if outcome.fault in {Fault.UNSCHEDULABLE, Fault.STUCK}:
            self._reject(outcome)
            return
        self._put(scheduled(self._now()), node=True)
        await self._start(outcome.start_seconds)
        if outcome.fault in {Fault.IMAGE_PULL, Fault.CONFIG_ERROR}:
            await self._never_start(outcome)
            return
        for container in self._containers():
            self._status.run(container, self._now())
        self._status.phase = "Running"
        self._write()
        await self.ready.wait()
        self._node.works(self._attempt.name)
        if outcome.fault is None:
            await self._work(outcome)
        else:
            await self._suffer(outcome, outcome.fault)
        self._node.running.discard(self._attempt.name)

    async def end(self) -> None:
        """Containers are told to end; then the pod goes."""
        self.ending = True
        await self._clock.wait(_TERM_SECONDS)
        for container in self._containers():
            if self._status.is_running(container):
                self._status.end(container, self._now(), code=_SIGNALLED)
            elif "waiting" in self._status.states[container]:
                reason = "ContainerStatusUnknown"
                self._status.end(container, self._now(), code=137, reason=reason)
        self._status.phase = "Failed"
        self._write()
        await self._clock.wait(_TERM_SECONDS)
        if self._is_there():
            self._cluster.delete(POD, self._name, namespace=self._namespace, grace_seconds=0)

    async def _start(self, seconds: float) -> None:
        """The network and the init containers."""
        part = seconds / 4
        self._write()
        await self._clock.wait(part)
        self._status.sandbox = True
        self._write()
        for container in self._status.init_containers:
            await self._clock.wait(part)
            self._status.run(container, self._now())
            self._write()
            await self._clock.wait(part / 2)
            self._status.end(container, self._now())
            self._write()
        await self._clock.wait(part)

    async def _never_start(self, outcome: Outcome) -> None:
        container = self._status.steps[0]
        if outcome.fault is Fault.CONFIG_ERROR:
            message = outcome.message or 'secret "absent" not found'
            self._status.wait(container, "CreateContainerConfigError", message)
            self._write()
            return
        message = outcome.message or "rpc error: code = NotFound desc = failed to pull image"
        self._status.wait(container, "ErrImagePull", message)
        self._write()
        await self._clock.wait(_BACK_OFF_SECONDS)
        self._status.wait(container, "ImagePullBackOff", f"Back-off pulling image: {message}")
        self._write()

    def _reject(self, outcome: Outcome) -> None:
        lacks_room = outcome.fault is Fault.UNSCHEDULABLE
        why = "1 Insufficient cpu." if lacks_room else 'persistentvolumeclaim "absent" not found.'
        message = outcome.message or f"0/1 nodes are available: {why}"
        self._put(unschedulable(message, "Unschedulable", self._now()))

    async def _work(self, outcome: Outcome) -> None:
        steps: Sequence[StepOutcome] = outcome.steps
        if outcome.work is not None:
            steps = await outcome.work(self._attempt)
        specs = list_at(self._run(), "status", "taskSpec", "steps")
        failed = False
        for index, container in enumerate(self._status.steps):
            step = steps[index] if index < len(steps) else StepOutcome()
            if failed:
                self._skip(container)
                continue
            if step.log:
                self._attempt.print(container.removeprefix("step-"), step.log)
            await self._clock.wait(step.seconds if outcome.work is None else 0.0)
            self._results += step.results.items()
            spec = specs[index] if index < len(specs) else {}
            failed = self._finish(container, step, soft=spec.get("onError") == "continue")
            if step.out_of_memory:
                self._write()
                await self._clock.wait(_LAST_SECONDS)
            elif not failed and index + 1 < len(self._status.steps):
                self._write()
        self._end_sidecars()
        self._write()
        await self._clock.wait(_LAST_SECONDS)
        self._status.phase = "Failed" if failed else "Succeeded"
        self._write()

    def _finish(self, container: str, step: StepOutcome, *, soft: bool) -> bool:
        """End a step; whether the rest is skipped."""
        if step.out_of_memory:
            self._status.end(container, self._now(), code=137, reason="OOMKilled")
            return True
        facts = {"StartedAt": self._now()}
        if step.exit_code and soft:
            facts["ExitCode"] = str(step.exit_code)
        code = 0 if soft else step.exit_code
        message = termination_message(self._results, facts)
        if len(message) > _MOST_RESULT_BYTES:
            self._attempt.print(container.removeprefix("step-"), _TOO_LARGE)
            code, message = 1, ""
        self._status.end(container, self._now(), code=code, message=message)
        return bool(code)

    def _skip(self, container: str) -> None:
        step = container.removeprefix("step-")
        self._attempt.print(step, "Skipping step because a previous step failed\n")
        message = termination_message([], {"StartedAt": self._now(), "Reason": "Skipped"})
        self._status.end(container, self._now(), code=1, message=message)

    async def _suffer(self, outcome: Outcome, fault: Fault) -> None:
        await self._clock.wait(outcome.fault_seconds)
        if fault is Fault.EVICTED:
            for container in self._containers():
                self._status.end(container, self._now(), code=_SIGNALLED)
            self._status.phase, self._status.reason = "Failed", "Evicted"
            self._status.message = outcome.message or "The node was low on resource: memory. "
            self._write()
            return
        grace = 0 if fault is Fault.FORCE_DELETED else 30
        if fault is Fault.NODE_LOST:
            self.ending = True  # the kubelet is gone: it ends nothing and confirms nothing
        self._cluster.delete(POD, self._name, namespace=self._namespace, grace_seconds=grace)
        if fault is Fault.NODE_LOST:
            await self._clock.wait(_LOST_SECONDS)
            if self._is_there():
                self._cluster.delete(POD, self._name, namespace=self._namespace, grace_seconds=0)

    def _end_sidecars(self) -> None:
        for container in self._containers():
            if container.startswith("sidecar-") and self._status.is_running(container):
                self._status.end(container, self._now())

    def _containers(self) -> list[str]:
        init = self._status.init_containers
        return [it for it in self._status.states if it not in init]

    def _run(self) -> JsonObject:
        name = self._attempt.name
        return self._cluster.find(TASK_RUN, name, namespace=self._namespace) or {}

    def _is_there(self) -> bool:
        found = self._cluster.find(POD, self._name, namespace=self._namespace)
        return found is not None and uid_of(found) == self._uid

    def _write(self) -> None:
        self._put(self._status.document(self._now()))

    def _put(self, status: JsonObject, *, node: bool = False) -> None:
        pod = self._cluster.find(POD, self._name, namespace=self._namespace)
        if pod is None or uid_of(pod) != self._uid:
            return
        if node:
            pod = {**pod, "spec": {**pod["spec"], "nodeName": NODE}}
        self._cluster.put(POD, {**pod, "status": status})

    def _now(self) -> str:
        return self._cluster.state.stamp()


def _printer(cluster: SimulatedCluster, pod: JsonObject) -> Callable[[str, str], None]:
    def print_text(step: str, text: str) -> None:
        cluster.state.logs.append(pod, f"step-{step}", text)

    return print_text
