# SPDX-License-Identifier: Apache-2.0
"""From figures to what Prometheus reads.

Everything but the counters of this instance comes out of the records, so a restart loses
nothing and every instance says the same. What is summed up over all releases is kept as long
as no event came; ages are told anew with each scrape.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from okd_payload.controller.graph.gaps import DeadEnd, UntestedUpdate
from okd_payload.controller.model import RunState, StreamState
from okd_payload.controller.records.webhooks import WebhookProgress
from okd_payload.controller.service.service import Health
from okd_payload.controller.views.figures import Duration, Figures
from okd_payload.web.metrics import names
from okd_payload.web.metrics.names import Metric

Key = TypeVar("Key", bound=tuple[str, ...])
BUCKETS = (10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0)
_ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.ERROR)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that one scrape tells."""

    now: float
    health: Health | None = None
    """Of the controller in this process, where there is one."""
    holder: str = ""
    figures: Figures | None = None
    """None while the database does not answer."""
    streams: Mapping[str, StreamState] = {}
    webhooks: tuple[WebhookProgress, ...] = ()
    gaps: tuple[UntestedUpdate, ...] = ()
    dead_ends: tuple[DeadEnd, ...] = ()
    configured: tuple[str, ...] = ()
    publications: tuple[tuple[str, str], ...] = ()
    """Streams, and the ways in which each is published."""
    broken: int = 0
    """What of their configuration cannot be taken."""


def write_metrics(snapshot: Snapshot) -> bytes:
    """``snapshot`` in the format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(snapshot))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Family]:
        """The families of all metrics."""
        snapshot = self._snapshot
        yield from _of_instance(snapshot)
        if snapshot.figures is not None:
            yield from _of_streams(snapshot, snapshot.figures)
            yield from _of_runs(snapshot.figures)
            yield from _of_webhooks(snapshot.webhooks)
            yield from _of_schedules(snapshot.figures)


def _of_instance(snapshot: Snapshot) -> Iterator[Family]:
    yield _gauge(names.DATABASE, {(): float(snapshot.figures is not None)})
    yield _gauge(names.CONFIGURATION, {(): snapshot.broken})
    if snapshot.holder:
        yield _gauge(names.HOLDER, {(snapshot.holder,): 1.0})
    health = snapshot.health
    if health is None:
        return
    yield _gauge(names.ACTING, {(): float(health.acting)})
    yield _gauge(names.WRITABLE, {(): float(not health.records)})
    yield _counter(names.PASSES, {(): health.passes})
    yield _counter(names.PASS_ERRORS, {(): health.errors})
    yield _counter(names.CLOCK_JUMPS, {(): health.clock_jumps})
    yield _gauge(names.UNWATCHED, {(): health.unwatched})
    if health.last_pass is not None:
        yield _gauge(names.LAST_PASS, {(): health.last_pass})


def _of_streams(snapshot: Snapshot, figures: Figures) -> Iterator[Family]:
    ages = {(stream,): snapshot.now - made for stream, made in figures.accepted.items()}
    yield _gauge(names.ACCEPTED_AGE, ages)
    counts = {(stream, phase.value): n for (stream, phase), n in figures.releases.items()}
    yield _gauge(names.RELEASES, counts)
    yield _histogram(names.PHASE_SECONDS, figures.durations, by_phase=True)
    yield _histogram(names.ACCEPTED_SECONDS, figures.to_accepted, by_phase=False)
    states = {name: snapshot.streams.get(name) for name in snapshot.configured}
    errors = {(name,): float(bool(state and state.error)) for name, state in states.items()}
    yield _gauge(names.STREAM_ERROR, errors)
    paused = {(name,): float(bool(state and state.paused)) for name, state in states.items()}
    yield _gauge(names.STREAM_PAUSED, paused)
    for metric, concerns in (
        (names.UNTESTED, snapshot.gaps),
        (names.DEAD_ENDS, snapshot.dead_ends),
    ):
        counted = Counter(each.stream for each in concerns)
        yield _gauge(metric, {(name,): float(counted[name]) for name in snapshot.configured})
    unmade = {(name,): figures.unmade.get(name, 0) for name in snapshot.configured}
    yield _gauge(names.UNMADE, unmade)
    yield _counter(names.PUBLISH_FAILURES, figures.failed_publications)
    failing = {key: float(key in figures.failing) for key in snapshot.publications}
    yield _gauge(names.PUBLISH_FAILING, failing)


def _of_runs(figures: Figures) -> Iterator[Family]:
    yield _gauge(
        names.RUNS,
        {(stream, name, state.value): n for (stream, name, state), n in figures.runs.items()},
    )
    ended: dict[tuple[str, ...], int] = {}
    passed: dict[tuple[str, ...], int] = {}
    for (stream, name, state), number in figures.runs.items():
        if state in _ENDED:
            ended[stream, name] = ended.get((stream, name), 0) + number
        if state is RunState.SUCCEEDED:
            passed[stream, name] = number
    yield _gauge(names.PASS_RATE, {key: passed.get(key, 0) / n for key, n in ended.items()})
    yield _gauge(names.QUEUE, {(state.value,): n for state, n in figures.open_runs.items()})


def _of_webhooks(known: Collection[WebhookProgress]) -> Iterator[Family]:
    yield _counter(names.WEBHOOK_DELIVERED, {(each.name,): each.delivered for each in known})
    yield _gauge(names.WEBHOOK_ATTEMPTS, {(each.name,): each.attempts for each in known})
    disabled = {(each.name,): float(each.disabled is not None) for each in known}
    yield _gauge(names.WEBHOOK_DISABLED, disabled)


def _of_schedules(figures: Figures) -> Iterator[Family]:
    known = figures.schedules
    failed = {(each.stream, each.schedule): float(each.failing) for each in known}
    yield _gauge(names.SCHEDULE_FAILED, failed)
    started = {
        (each.stream, each.schedule): each.started for each in known if each.started is not None
    }
    yield _gauge(names.SCHEDULE_STARTED, started)


def _gauge(metric: Metric, values: Mapping[Key, float]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.words, labels=metric.labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(metric: Metric, values: Mapping[Key, float]) -> Family:
    name = metric.name.removesuffix("_total")
    family = CounterMetricFamily(name, metric.words, labels=metric.labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histogram(metric: Metric, durations: Iterable[Duration], *, by_phase: bool) -> Family:
    grouped: dict[tuple[str, ...], list[float]] = {}
    for each in durations:
        told = [each.stream, each.phase.value] if by_phase else [each.stream]
        key = tuple(told)
        grouped.setdefault(key, []).append(each.seconds)
    family = HistogramMetricFamily(metric.name, metric.words, labels=metric.labels)
    for key, seconds in grouped.items():
        ordered = sorted(seconds)
        buckets = [(str(edge), float(bisect.bisect_right(ordered, edge))) for edge in BUCKETS]
        buckets.append(("+Inf", float(len(ordered))))
        family.add_metric(key, buckets, sum_value=sum(ordered))
    return family
