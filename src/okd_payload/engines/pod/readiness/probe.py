# SPDX-License-Identifier: Apache-2.0
"""Trying a cluster out: one pod that builds a small image and uses the repository, then goes.

Whatever happens, the pod is deleted, by a name that was chosen before it was made; and if that
cannot be done it ends by itself. What keeps it from starting is seen in its state.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from okd_payload.cluster import Change, Cluster, kinds
from okd_payload.cluster.pods import Pod, Waiting, decode_pod
from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.readiness.probe_pod import PROBE_LABEL, ProbePod
from okd_payload.engines.pod.readiness.probe_report import ProbeReport, decode_report
from okd_payload.errors import ClusterError, ClusterUnavailable
from okd_payload.issues import Issue

_BACKING_OFF = "ImagePullBackOff"
"""A probe does not wait until a registry comes back: it asks how builds would fare now."""
_RIGHTS = ("create", "list", "watch", "delete")


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """How trying it out went."""

    report: ProbeReport | None = None
    """What the pod itself said; None when it did not come to say anything."""
    issues: tuple[Issue, ...] = ()


async def probe_cluster(
    cluster: Cluster, pod: ProbePod, *, namespace: str, seconds: float
) -> Probe:
    """Run the pod, for at most ``seconds``, and remove it. Raises ClusterUnavailable."""
    lacking = [
        verb for verb in _RIGHTS if not await cluster.may(verb, kinds.POD, namespace=namespace)
    ]
    if lacking:
        issue = codes.PROBE_FAILED.issue(
            f"nothing was tried: the right to {', '.join(lacking)} pods in namespace {namespace} "
            "is missing",
            hint="builds do not need it; leave --probe out, or let somebody else run it",
        )
        return Probe(issues=(issue,))
    try:
        await cluster.create(kinds.POD, pod.encode(), namespace=namespace)
        state = await _last_state(cluster, pod, namespace=namespace, seconds=seconds)
    except ClusterUnavailable:
        raise
    except ClusterError as error:
        issue = codes.PROBE_FAILED.issue(error.message, hint=error.hint)
        return Probe(issues=(issue,))
    finally:
        await asyncio.shield(_remove(cluster, pod, namespace))
    return judge_probe(state, pod, seconds=seconds)


async def _last_state(
    cluster: Cluster, pod: ProbePod, *, namespace: str, seconds: float
) -> Pod | None:
    """The pod when it has ended, or will not start, or time is up; None when it was deleted."""
    state: Pod | None = None
    marked = f"{PROBE_LABEL}={pod.name}"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for event in cluster.watch(kinds.POD, namespace=namespace, labels=marked):
                if event.change is Change.DELETED:
                    return None
                state = decode_pod(event.content)
                if state.status.has_ended or _is_stuck(state.status.waiting):
                    return state
    return state


async def _remove(cluster: Cluster, pod: ProbePod, namespace: str) -> None:
    """Delete the pod, if it was made; it ends by itself when the cluster is away."""
    with contextlib.suppress(ClusterError):
        await cluster.delete(kinds.POD, pod.name, namespace=namespace)


def judge_probe(state: Pod | None, pod: ProbePod, *, seconds: float) -> Probe:
    """What the last state of the pod means."""
    if state is None:
        issue = codes.PROBE_FAILED.issue(
            f"the pod {pod.name} was deleted before it ended", hint="look for who deleted it"
        )
        return Probe(issues=(issue,))
    for container in state.status.containers:
        ended = container.state.terminated
        if ended is not None and (report := decode_report(ended.message)) is not None:
            return Probe(report=report, issues=report.issues)
    return Probe(issues=(_why_it_failed(state, pod, seconds),))


def _why_it_failed(state: Pod, pod: ProbePod, seconds: float) -> Issue:
    waiting = state.status.waiting
    if waiting.lacks_image:
        return codes.PROBE_FAILED.issue(
            f"the nodes cannot pull {pod.image}: {waiting.message[:300] or waiting.reason}",
            hint="name an image that they can pull with --image or OKD_PAYLOAD_IMAGE, and let the "
            "service account have the pull secret that it needs",
        )
    if waiting.is_final:
        return codes.PROBE_FAILED.issue(
            f"its container cannot be made: {waiting.message[:300] or waiting.reason}",
            hint="make the Secret of --credentials and the ConfigMap of --trust in the namespace",
        )
    for container in state.status.containers:
        ended = container.state.terminated
        if ended is not None:
            return codes.PROBE_FAILED.issue(
                f"the pod ended with code {ended.exit_code} ({ended.reason or 'no reason'}): "
                f"{ended.message.strip()[-300:] or 'it said nothing'}",
                hint="its image must be that of this version; see --pod-security for its rights",
            )
    words = state.status.unscheduled or state.status.message or waiting.reason or state.status.phase
    if state.status.has_ended:
        return codes.PROBE_FAILED.issue(
            f"the pod failed: {state.status.reason} {words}".strip(),
            hint="look at the node that it was on",
        )
    return codes.PROBE_FAILED.issue(
        f"the pod did not end in {seconds:.0f} s: {words or 'it waits'}",
        hint="`kubectl describe nodes` shows what room there is",
    )


def _is_stuck(waiting: Waiting) -> bool:
    """Whether the container will not start while we watch."""
    return waiting.is_final or waiting.reason == _BACKING_OFF
