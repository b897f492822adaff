# SPDX-License-Identifier: Apache-2.0
"""In which order an operator applies the objects of a payload, and what beside what.

Files say it by their names: run levels one after another, the components of a level beside each
other, the files of a component in series. Only neighbours count, because the list is that of
loading: a level in two places is two levels. A Job stands alone between what comes before it and
what comes after. The nodes and their numbers are the operator's own, anchors included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from okd_payload.release.cluster.payload import LoadedManifest
from okd_payload.release.naming import RunLevel, run_level_of

_JOB = ("batch/v1", "Job")

Steps = list[tuple[int, ...]]
"""Tasks that run in series, several such series beside each other."""


class Node(msgspec.Struct, frozen=True):
    """Tasks in series, numbers in the list of the payload, between other nodes."""

    before: tuple[int, ...] = ()
    tasks: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


def order_update(manifests: Sequence[LoadedManifest]) -> tuple[Node, ...]:
    """How an update applies ``manifests``: level by level."""
    return _build(manifests, _split_by_level)


def order_install(manifests: Sequence[LoadedManifest]) -> tuple[Node, ...]:
    """How an installation applies them: everything at once, but a component in its order."""
    return _build(manifests, _split_by_component)


def stages_of(nodes: Sequence[Node]) -> list[Steps]:
    """Stages that run one after another, each of series that run beside each other."""
    depths: dict[int, int] = {}

    def depth(number: int) -> int:
        if number not in depths:
            earlier = nodes[number].before
            depths[number] = 1 + max(map(depths.__getitem__, earlier), default=0)
        return depths[number]

    stages: dict[int, Steps] = {}
    for number in _topological(nodes):
        place = depth(number)
        if nodes[number].tasks:
            stages.setdefault(place, []).append(nodes[number].tasks)
    return [sorted(stages[place]) for place in sorted(stages)]


def _topological(nodes: Sequence[Node]) -> Iterator[int]:
    waiting = {number: len(node.before) for number, node in enumerate(nodes)}
    ready = [number for number, count in waiting.items() if not count]
    while ready:
        number = ready.pop()
        yield number
        for later in nodes[number].after:
            waiting[later] -= 1
            if not waiting[later]:
                ready.append(later)


class _Draft:
    """A node whose neighbours are not settled yet."""

    def __init__(self, tasks: Sequence[int] = ()) -> None:
        self.before: list[int] = []
        self.tasks = tuple(tasks)
        self.after: list[int] = []


_Split = Callable[[Sequence[LoadedManifest], tuple[int, ...]], list[Steps]]


def _build(manifests: Sequence[LoadedManifest], split: _Split) -> tuple[Node, ...]:
    nodes = [_Draft(range(len(manifests)))]
    _isolate_jobs(nodes, manifests)
    place = 0
    while place < len(nodes):
        buckets = split(manifests, nodes[place].tasks)
        if len(buckets) > 1 or (buckets and len(buckets[0]) > 1):
            _spread(nodes, place, buckets)
        place += 1
    return tuple(Node(tuple(n.before), n.tasks, tuple(n.after)) for n in nodes)


def _isolate_jobs(nodes: list[_Draft], manifests: Sequence[LoadedManifest]) -> None:
    """Put every Job in a node of its own; the rest of what stood there goes left and right."""
    place = 0
    while place < len(nodes):
        node = nodes[place]
        tasks = node.tasks
        job = next((at for at, task in enumerate(tasks) if _is_job(manifests[task])), None)
        if job is not None and len(tasks) > 1:
            left, right = tasks[:job], tasks[job + 1 :]
            node.tasks = (tasks[job],)
            if left:
                _insert(nodes, place, left, before=True)
            if right:
                _insert(nodes, place, right, before=False)
        place += 1


def _is_job(manifest: LoadedManifest) -> bool:
    return (manifest.item.api_version, manifest.item.key.kind) == _JOB


def _insert(nodes: list[_Draft], place: int, tasks: tuple[int, ...], *, before: bool) -> None:
    """A node with ``tasks`` right before or right after the node at ``place``."""
    node, added, number = nodes[place], _Draft(tasks), len(nodes)
    nodes.append(added)
    if before:
        added.before, added.after = node.before, [place]
        for earlier in added.before:
            nodes[earlier].after = [number if n == place else n for n in nodes[earlier].after]
        node.before = [number]
    else:
        added.before, added.after = [place], node.after
        for later in added.after:
            nodes[later].before = [number if n == place else n for n in nodes[later].before]
        node.after = [number]


def _spread(nodes: list[_Draft], place: int, buckets: list[Steps]) -> None:
    """Replace a node by nodes for its buckets; it stays as the anchor in front of them."""
    node = nodes[place]
    node.tasks, after, node.after = (), node.after, []
    front = [place]
    for bucket in buckets:
        if len(front) > 1 and len(bucket) > 1:
            front = _append(nodes, [()], front)
        front = _append(nodes, bucket, front)
    if not after:
        return
    anchor = _Draft()
    number = len(nodes)
    nodes.append(anchor)
    anchor.before, anchor.after = front, after
    for later in after:
        nodes[later].before = [number if n == place else n for n in nodes[later].before]
    for earlier in front:
        nodes[earlier].after = [number]


def _append(nodes: list[_Draft], bucket: Steps, front: list[int]) -> list[int]:
    """Nodes for a bucket behind all nodes of ``front``; the numbers of the new ones."""
    numbers = list(range(len(nodes), len(nodes) + len(bucket)))
    for tasks in bucket:
        added = _Draft(tasks)
        added.before = list(front)
        nodes.append(added)
    for earlier in front:
        nodes[earlier].after += numbers
    return numbers


def _split_by_level(manifests: Sequence[LoadedManifest], tasks: tuple[int, ...]) -> list[Steps]:
    """Levels with several components; what is between them is one series."""
    buckets: list[Steps] = []
    for groups in _split_into_levels(manifests, tasks):
        if len(groups) == 1 and buckets and len(buckets[-1]) == 1:
            buckets[-1] = [buckets[-1][0] + groups[0]]
        else:
            buckets.append(groups)
    return buckets


def _split_by_component(manifests: Sequence[LoadedManifest], tasks: tuple[int, ...]) -> list[Steps]:
    groups = [group for level in _split_into_levels(manifests, tasks) for group in level]
    return [groups] if groups else []


def _split_into_levels(
    manifests: Sequence[LoadedManifest], tasks: tuple[int, ...]
) -> Iterator[Steps]:
    """Neighbours of one level as the groups of their components; a file without level alone."""
    groups: Steps = []
    last: RunLevel | None = None
    for task in tasks:
        level = run_level_of(manifests[task].file)
        if groups and last and level and last.level == level.level:
            if last.component == level.component:
                groups[-1] += (task,)
            else:
                groups.append((task,))
        else:
            if groups:
                yield groups
            groups = [(task,)]
        last = level
    if groups:
        yield groups
