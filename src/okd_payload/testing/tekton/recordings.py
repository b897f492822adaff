# SPDX-License-Identifier: Apache-2.0
"""Recordings of real runs: every change of every object, what the recorder did, and the logs.

Reads a folder of recordings as it is: ``watch.jsonl`` with one change or action a line, later
changes as merge patches against the object before, and ``logs`` with one file per container.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.cluster import Change, ObjectKind
from okd_payload.cluster.kinds import (
    PERSISTENT_VOLUME_CLAIM,
    PIPELINE_RUN,
    POD,
    SHIPWRIGHT_BUILD,
    SHIPWRIGHT_BUILD_RUN,
    TASK_RUN,
)
from okd_payload.errors import InputError
from okd_payload.testing.kubernetes.patches import merge

RUN_KINDS = (TASK_RUN, PIPELINE_RUN, SHIPWRIGHT_BUILD_RUN)
"""Kinds of objects that somebody makes so that something runs."""

_KINDS = {
    kind.kind: kind
    for kind in (
        *RUN_KINDS,
        POD,
        PERSISTENT_VOLUME_CLAIM,
        SHIPWRIGHT_BUILD,
        ObjectKind("apps/v1", "StatefulSet", "statefulsets"),
        ObjectKind("resolution.tekton.dev/v1beta1", "ResolutionRequest", "resolutionrequests"),
    )
}
_FOLLOWED_LINE = re.compile(r"\s*[0-9]+ ms {2}\S+Z ?(.*)\Z", re.DOTALL)


class RecordedChange(msgspec.Struct, frozen=True):
    """An object after one of its changes, or last before it went."""

    milliseconds: int
    change: Change
    kind: ObjectKind
    name: str
    document: dict[str, Any]


class RecordedAction(msgspec.Struct, frozen=True):
    """What the recorder asked the cluster to do."""

    milliseconds: int
    verb: str
    kind: str
    name: str
    http: int
    body: dict[str, Any]


class Scenario(msgspec.Struct, frozen=True):
    """One recorded run from its creation to its end."""

    name: str
    """Also the namespace in which it was recorded."""
    events: tuple[RecordedChange | RecordedAction, ...]
    logs: dict[tuple[str, str], bytes]
    """What containers printed, by pod and container."""

    @property
    def changes(self) -> tuple[RecordedChange, ...]:
        """What somebody who watches is told."""
        return tuple(it for it in self.events if isinstance(it, RecordedChange))

    @property
    def run(self) -> RecordedChange:
        """The beginning of the first run: of the kind that was asked for, not what it makes.

        Raises InputError for a recording without one.
        """
        asked = {it.kind for it in self.events if isinstance(it, RecordedAction)}
        for change in self.changes:
            if change.kind in RUN_KINDS and change.kind.kind in asked:
                return change
        raise InputError(f"the recording {self.name} has no run")


class _Line(msgspec.Struct, rename={"milliseconds": "t", "http": "httpStatus"}):
    milliseconds: int
    type: str
    kind: str = ""
    name: str = ""
    verb: str = ""
    target: str = ""
    http: int = 0
    object: dict[str, Any] | None = None
    patch: dict[str, Any] | None = None
    body: Any = None


def read_scenario(folder: Path) -> Scenario:
    """The recording in ``folder``. Raises InputError when there is none."""
    path = folder / "watch.jsonl"
    if not path.is_file():
        raise InputError(f"{folder} holds no recording", hint="name a folder with a watch.jsonl")
    known: dict[tuple[str, str], dict[str, Any]] = {}
    events: list[RecordedChange | RecordedAction] = []
    with path.open("rb") as lines:
        for text in lines:
            line = msgspec.json.decode(text, type=_Line)
            if line.type == "ACTION":
                events.append(_read_action(line))
                continue
            key = (line.kind, line.name)
            known[key] = line.object or merge(known.get(key), line.patch or {})
            events.append(
                RecordedChange(
                    line.milliseconds,
                    Change(line.type),
                    _KINDS[line.kind],
                    line.name,
                    known[key],
                )
            )
    return Scenario(folder.name, tuple(events), _read_logs(folder / "logs"))


def _read_action(line: _Line) -> RecordedAction:
    kind, _, name = line.target.partition("/")
    body = line.body if isinstance(line.body, dict) else {}
    return RecordedAction(line.milliseconds, line.verb, kind, name, line.http, body)


def _read_logs(folder: Path) -> dict[tuple[str, str], bytes]:
    logs: dict[tuple[str, str], bytes] = {}
    for path in sorted(folder.glob("*.txt")) if folder.is_dir() else ():
        name = path.name.removesuffix(".txt")
        followed = name.endswith(".followed")
        pod, _, container = name.removesuffix(".followed").rpartition(".")
        content = path.read_bytes()
        if followed:
            lines = content.decode(errors="replace").splitlines(keepends=True)
            told = [match[1] for it in lines if (match := _FOLLOWED_LINE.match(it))]
            content = "".join(told).encode()
        elif content.startswith(b"HTTP 4"):
            continue  # the answer when there was no log, not a log
        logs.setdefault((pod, container), content)
    return logs
