# SPDX-License-Identifier: Apache-2.0
"""What is remembered about runs: one folder per run, with its record and its logs.

    <runs>/<id>/run.json       the record, replaced as a whole whenever a component ends
    <runs>/<id>/stream.lock    the inputs it used
    <runs>/<id>/logs/<component>.log

Records serve people, durations for priorities, and ``okd-payload logs``. No decision about
what to build is taken from them: that is in the repository.
"""

from __future__ import annotations

import contextlib
import enum
import os
import shutil
import time
from pathlib import Path

import msgspec

from okd_payload.errors import StorageError, UnknownName
from okd_payload.oci.digest import Digest

KEPT_RUNS = 20


class Action(enum.Enum):
    """What happened to a component in a run; planned actions use the same words."""

    BUILT = "built"
    REUSED = "reused"
    IMPORTED = "imported"
    STUB = "stub"
    FAILED = "failed"
    SKIPPED = "skipped"


class ComponentRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one component of a run ended; the first four fields are a published interface."""

    name: str
    action: Action
    digest: Digest | None = None
    reason: str = ""
    tag: str = ""
    key: str = ""
    commit: str = ""
    source: str = ""
    dirty: bool = False
    started: float = 0.0
    seconds: float = 0.0
    attempts: int = 0
    log: str = ""
    """Relative to the folder of the run; empty when nothing was logged."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run: when, of which stream, and how its components ended so far."""

    id: str
    stream: str
    started: float
    components: tuple[ComponentRecord, ...] = ()
    finished: float | None = None


class RunFolder:
    """The folder of one run, written by the process that runs it only."""

    def __init__(self, path: Path, record: RunRecord) -> None:
        self.path = path
        self._record = record
        self._components: dict[str, ComponentRecord] = {}

    @property
    def record(self) -> RunRecord:
        """The record so far, components by name."""
        components = tuple(self._components[name] for name in sorted(self._components))
        return msgspec.structs.replace(self._record, components=components)

    def log_of(self, component: str) -> Path:
        """Where the log of ``component`` goes."""
        return self.path / "logs" / f"{component.replace('/', '_')}.log"

    def add(self, component: ComponentRecord) -> None:
        """Remember how a component ended. Raises StorageError."""
        self._components[component.name] = component
        self._write(self.record)

    def finish(self, moment: float) -> RunRecord:
        """Close the record. Raises StorageError."""
        self._record = msgspec.structs.replace(self._record, finished=moment)
        self._write(self.record)
        return self.record

    def _write(self, record: RunRecord) -> None:
        temporary = self.path / "run.json.new"
        try:
            temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
            temporary.replace(self.path / "run.json")
        except OSError as error:
            raise StorageError(
                f"cannot write the run record in {self.path}: {error.strerror}",
                hint="free space or choose another folder with --state",
            ) from error


def start_run(runs: Path, *, stream: str, moment: float) -> RunFolder:
    """A new run folder below ``runs``; old runs beyond the newest 20 are removed.

    Raises StorageError.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(moment))
    identity = f"{stamp}-{os.getpid()}"
    path = runs / identity
    try:
        (path / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot create {path}: {error.strerror}",
            hint="choose another folder with --state",
        ) from error
    for old in sorted(_run_folders(runs))[:-KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    return RunFolder(path, RunRecord(id=identity, stream=stream, started=moment))


def read_runs(runs: Path) -> list[RunRecord]:
    """The records below ``runs``, oldest first; unreadable ones are left out."""
    records = []
    for folder in sorted(_run_folders(runs)):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            content = (folder / "run.json").read_bytes()
            records.append(msgspec.json.decode(content, type=RunRecord))
    return records


def read_durations(records: list[RunRecord]) -> dict[str, float]:
    """Seconds that each component's newest real build took: the weights of the next plan."""
    return {
        component.name: component.seconds
        for record in records
        for component in record.components
        if component.action is Action.BUILT
    }


def find_log(runs: Path, component: str) -> Path:
    """The newest log of ``component``. Raises UnknownName when no run built it."""
    known: set[str] = set()
    for folder in sorted(_run_folders(runs), reverse=True):
        logs = {path.stem: path for path in (folder / "logs").glob("*.log")}
        wanted = logs.get(component.replace("/", "_"))
        if wanted is not None:
            return wanted
        known |= set(logs)
    raise UnknownName(
        "component", component, known=known, hint="no run of this stream has built it yet"
    )


def _run_folders(runs: Path) -> list[Path]:
    return [path for path in runs.iterdir() if path.is_dir()] if runs.is_dir() else []
