# SPDX-License-Identifier: Apache-2.0
"""Records of many releases, written the quickest way each database has: a controller after years.

Every third release brings back images of an older one, as streams do: most images stay what they
are, so digests repeat and the tables have the sizes of real ones.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, insert

from okd_payload.controller.records import Database
from okd_payload.controller.records.tables import (
    edges,
    events,
    inputs,
    releases,
    runs,
    streams,
    transitions,
)

Row = dict[str, Any]

NOW = 1_750_000_000.0
_HOUR = 3600.0
_PHASES = ("Accepted",) * 7 + ("Rejected",) * 2 + ("Failed",)
_BATCH = 20_000


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is."""

    streams: int = 10
    releases: int = 200
    """Of each stream."""
    images: int = 190
    jobs: int = 10


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The names of what was written."""

    streams: tuple[str, ...]
    newest: dict[str, str]
    """The newest release of each stream."""


async def write_many(database: Database, size: Size, *, input_hash: dict[str, str]) -> Made:
    """Write everything; the newest release of each stream was made of ``input_hash``."""
    names = tuple(f"4.{10 + number}.0-0.okd" for number in range(size.streams))
    newest = {name: _name(name, 0) for name in names}

    def unit(connection: Connection) -> None:
        connection.execute(insert(streams), [_stream(name) for name in names])
        for name in names:
            for table, rows in _tables(name, size, input_hash.get(name, "")):
                _bulk(connection, table, rows)

    await database.write(unit)
    return Made(streams=names, newest=newest)


def configure_jobs(size: Size) -> str:
    """The lines of a stream's file that configure its jobs, and let all releases stay."""
    jobs = "".join(
        f"  job{number}: {{runner: manual, retries: 1, optional: {str(number > 6).lower()}}}\n"
        for number in range(size.jobs)
    )
    return (
        f"verify:\n{jobs}retention: {{keepRejected: {size.releases}, keepFailed: {size.releases}}}"
    )


def _tables(name: str, size: Size, newest: str) -> Iterator[tuple[Table, Iterator[Row]]]:
    ages = range(size.releases)
    yield releases, (_release(name, age, newest) for age in ages)
    yield inputs, (row for age in ages for row in _inputs(name, age, size.images))
    yield transitions, (row for age in ages for row in _transitions(name, age))
    yield runs, (row for age in ages for row in _runs(name, age, size.jobs))
    yield edges, (_edge(name, age) for age in ages[:-1])
    yield events, (_event(name, age) for age in reversed(ages))


def _name(stream: str, age: int) -> str:
    """The release of a stream that has ``age`` younger ones."""
    return f"{stream}-2025-{1 + age // 700 % 12:02}-{1 + age // 25 % 28:02}-{age:06}"


@functools.cache
def _digest(*words: object) -> str:
    return "sha256:" + hashlib.sha256(repr(words).encode()).hexdigest()


def _stream(name: str) -> Row:
    empty = dict.fromkeys(("configuration", "input_hash", "paused", "paused_by", "error"), "")
    return {
        **empty,
        "name": name,
        "waiting": "",
        "seen": NOW,
        "moved": NOW,
        "error_since": None,
        "rebuild": False,
    }


def _release(stream: str, age: int, newest: str) -> Row:
    created = NOW - age * _HOUR
    digest = _digest("payload", stream, age)
    return {
        "name": _name(stream, age),
        "stream": stream,
        "phase": _PHASES[age % len(_PHASES)],
        "created": created,
        "changed": created + _HOUR / 2,
        "input_hash": newest if newest and age == 0 else _digest("inputs", stream, age),
        "digest": digest,
        "pull_spec": f"quay.test/okd/release@{digest}",
        "reason": "VerificationSucceeded",
        "message": "job0, job1, job2 succeeded",
        "kept": False,
        "withdrawn": None,
        "attempts": 1,
        "retry_at": None,
        "adopted": False,
        "job": "",
    }


def _inputs(stream: str, age: int, images: int) -> Iterator[Row]:
    for number in range(images):
        version = age if number % 40 == age % 40 else age // 40
        digest = _digest("image", stream, number, version)
        yield {
            "release": _name(stream, age),
            "tag": f"component-{number:03}",
            "digest": digest,
            "reference": f"quay.test/okd/content@{digest}",
            "source": f"https://github.com/openshift/component-{number:03}",
            "commit": digest[7:47],
        }


def _transitions(stream: str, age: int) -> Iterator[Row]:
    steps = (None, "Pending", "Ready", _PHASES[age % len(_PHASES)])
    if steps[-1] == "Failed":
        steps = (None, "Pending", "Failed")
    for number, (before, after) in enumerate(itertools.pairwise(steps)):
        yield {
            "release": _name(stream, age),
            "before": before,
            "after": after,
            "time": NOW - age * _HOUR + number * 900,
            "actor": "controller",
            "reason": "",
            "message": "",
        }


def _runs(stream: str, age: int, jobs: int) -> Iterator[Row]:
    release, created = _name(stream, age), NOW - age * _HOUR
    accepted = _PHASES[age % len(_PHASES)] == "Accepted"
    for number in range(jobs):
        yield {
            "id": f"{release}-job{number}",
            "release": release,
            "verification": f"job{number}",
            "attempt": 0,
            "number": 0,
            "state": "Succeeded" if accepted or number else "Failed",
            "runner": "webhook",
            "platform": ("aws", "gcp", "metal")[number % 3],
            "from_release": _name(stream, age + 1) if number == 0 else "",
            "from_pull_spec": "",
            "queued": created + 60,
            "started": created + 90,
            "ended": created + 1800,
            "url": f"https://jobs.test/{release}/{number}",
            "handle": str(number),
            "message": "",
            "log": "",
            "artifacts": "[]",
        }


def _edge(stream: str, age: int) -> Row:
    return {
        "source": _name(stream, age + 1),
        "target": _name(stream, age),
        "run": f"{_name(stream, age)}-job0",
        "url": "",
        "state": "Succeeded",
        "time": NOW - age * _HOUR,
        "platform": "aws",
    }


def _event(stream: str, age: int) -> Row:
    return {
        "time": NOW - age * _HOUR,
        "kind": "release.phase",
        "stream": stream,
        "release": _name(stream, age),
        "actor": "controller",
        "message": "",
        "content": b"{}",
    }


def _bulk(connection: Connection, table: Table, rows: Iterator[Row]) -> None:
    """Write ``rows`` past SQLAlchemy, in the way that each driver has for many."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            _write(connection, table, batch)
            batch = []
    if batch:
        _write(connection, table, batch)


def _write(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    names = list(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection.driver_connection
    values = ([row[name] for name in names] for row in rows)
    if connection.dialect.name != "postgresql":
        places = ", ".join("?" * len(names))
        driver.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})', values)
        return
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy,
    ):
        for row in values:
            copy.write_row(row)
