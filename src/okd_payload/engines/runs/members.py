# SPDX-License-Identifier: Apache-2.0
"""The objects that a run consists of, whichever engine made them.

Each engine has a kind of its own for one build. Here they are told apart by nothing but that kind:
what all have is a name, the labels of the run, and an end.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

import msgspec

from okd_payload.cluster import Cluster, ClusterReader, ObjectKind, kinds
from okd_payload.engines.openshift.objects import CANCELLATION, Phase, decode_build
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.causes import Reaction
from okd_payload.engines.pod.judging import Verdict, judge
from okd_payload.engines.shipwright.judging import judge_run
from okd_payload.engines.shipwright.run_state import CANCELLATION as BUILD_RUN_CANCELLATION
from okd_payload.engines.shipwright.run_state import decode_build_run
from okd_payload.engines.tekton.task_run import CANCEL, CANCEL_MESSAGE, decode_task_run, observe
from okd_payload.errors import ClusterError, NoSuchKind, NotPermitted


class Standing(enum.Enum):
    """Where one object of a run is."""

    GOING = "going"
    GOOD = "good"
    BAD = "bad"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a run."""

    kind: ObjectKind
    name: str
    labels: Mapping[str, str]
    created: str
    standing: Standing
    is_over: bool
    is_ending: bool
    """Whether somebody asked it to end."""

    @property
    def run(self) -> str:
        """The run that it belongs to; empty for none."""
        return self.labels.get(labels.RUN, "")


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """How objects of one kind are read and ended."""

    read: Callable[[bytes], Member]
    cancellation: bytes
    """The merge patch that asks for the end."""


async def list_members(
    cluster: ClusterReader, *, namespace: str = "", stream: str = ""
) -> list[Member]:
    """All objects of runs in a namespace; of one stream, or of all. Raises ClusterError.

    A kind that the cluster does not have, or that we may not read, has none, unless that is so of
    all kinds.
    """
    wanted = {labels.STREAM: labels.label_value(stream)} if stream else {}
    selector = labels.selector(wanted)
    members: list[Member] = []
    missed: list[ClusterError] = []
    for kind, known in _KINDS.items():
        try:
            listed = await cluster.list(kind, namespace=namespace, labels=selector)
        except (NoSuchKind, NotPermitted) as error:
            missed.append(error)
            continue
        members += map(known.read, listed.items)
    if len(missed) == len(_KINDS):
        raise missed[0]
    return [member for member in members if member.run]


def read_member(kind: ObjectKind, content: bytes) -> Member:
    """The object of ``kind`` in ``content``. Raises ClusterError."""
    return _KINDS[kind].read(content)


async def cancel_member(cluster: Cluster, member: Member, *, namespace: str = "") -> None:
    """Ask ``member`` to end; one that has just ended is left alone. Raises ClusterError."""
    known = _KINDS[member.kind]
    try:
        await cluster.patch(member.kind, member.name, known.cancellation, namespace=namespace)
    except ClusterError:
        # Tekton's webhook lets nothing change in what has just ended.
        content = await cluster.get(member.kind, member.name, namespace=namespace)
        if not known.read(content).is_over:
            raise


def _read_task_run(content: bytes) -> Member:
    run = decode_task_run(content)
    return Member(
        kind=kinds.TASK_RUN,
        name=run.name,
        labels=run.metadata.labels,
        created=run.metadata.creation_timestamp,
        standing=_standing_of(judge(observe(run))),
        is_over=run.is_over,
        is_ending=bool(run.spec.status),
    )


def _read_build_run(content: bytes) -> Member:
    run = decode_build_run(content)
    return Member(
        kind=kinds.SHIPWRIGHT_BUILD_RUN,
        name=run.name,
        labels=run.metadata.labels,
        created=run.metadata.creation_timestamp,
        standing=_standing_of(judge_run(run)),
        is_over=run.is_over,
        is_ending=bool(run.spec.state),
    )


def _read_openshift_build(content: bytes) -> Member:
    build = decode_build(content)
    ended = Standing.GOOD if build.status.phase == Phase.COMPLETE.value else Standing.BAD
    return Member(
        kind=kinds.OPENSHIFT_BUILD,
        name=build.name,
        labels=build.metadata.labels,
        created=build.metadata.creation_timestamp,
        standing=ended if build.is_over else Standing.GOING,
        is_over=build.is_over,
        is_ending=build.status.cancelled,
    )


def _standing_of(verdict: Verdict) -> Standing:
    known = {Reaction.WAIT: Standing.GOING, Reaction.TAKE: Standing.GOOD}
    return known.get(verdict.rule.reaction, Standing.BAD)


_KINDS = {
    kinds.TASK_RUN: _Kind(
        read=_read_task_run,
        cancellation=msgspec.json.encode(
            {"spec": {"status": CANCEL, "statusMessage": CANCEL_MESSAGE}}
        ),
    ),
    kinds.SHIPWRIGHT_BUILD_RUN: _Kind(
        read=_read_build_run,
        cancellation=BUILD_RUN_CANCELLATION,
    ),
    kinds.OPENSHIFT_BUILD: _Kind(
        read=_read_openshift_build,
        cancellation=CANCELLATION,
    ),
}
