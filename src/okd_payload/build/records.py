# SPDX-License-Identifier: Apache-2.0
"""What is remembered about runs: one folder per run, with its record and its logs.

    <runs>/<id>/run.json       the record, replaced as a whole whenever a component ends
    <runs>/<id>/plan.json      what it is to make, and what each image is built on
    <runs>/<id>/begun.json     when each component was begun
    <runs>/<id>/lock           locked as long as the process that runs it is there
    <runs>/<id>/stream.lock    the inputs it used
    <runs>/<id>/logs/<component>.log

Records serve people, durations for priorities, and ``okd-payload logs``. No decision about
what to build is taken from them: that is in the repository.
"""

from __future__ import annotations

import contextlib
import enum
import fcntl
import itertools
import os
import shutil
import time
import weakref
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.build.plan import (
    AliasNode,
    ComponentNode,
    ExternalNode,
    ImportNode,
    Node,
    class_of,
    component_name,
)
from okd_payload.errors import StorageError, UnknownName
from okd_payload.oci.digest import Digest

KEPT_RUNS = 20
"""Runs kept in any case; older ones stay while they have the newest log of some component."""


_LOCK = "lock"


class Action(enum.Enum):
    """What happened to a component in a run."""

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
    hint: str = ""
    """What to do about a failure."""
    tag: str = ""
    sharing: str = ""
    """The class: shared with OCP, or specific; empty when nobody has said."""
    sharing_reason: str = ""
    key: str = ""
    commit: str = ""
    source: str = ""
    dirty: bool = False
    started: float = 0.0
    seconds: float = 0.0
    attempts: int = 0
    retries: dict[str, int] = {}
    """How many of the attempts followed which cause."""
    log: str = ""
    """Relative to the folder of the run; empty when nothing was logged."""


def describe(node: Node, action: Action, *, reason: str) -> ComponentRecord:
    """The record that ``action`` was taken on ``node``; stubs are stubs whatever made them."""
    name, tag = component_name(node), node.name
    kind, known = class_of(node)
    sharing = kind.value if kind else ""
    if isinstance(node, ComponentNode):
        commit, source = node.commit, node.component.source
        return ComponentRecord(
            name=name,
            tag=tag,
            action=action,
            reason=reason,
            sharing=sharing,
            sharing_reason=known,
            commit=commit.id if commit else "",
            source=(commit.location if commit else "") or str(source or ""),
            dirty=commit.dirty if commit else False,
        )
    stub = "" if isinstance(node, ExternalNode) else node.stub
    if stub and action in (Action.REUSED, Action.IMPORTED):
        action, reason = Action.STUB, stub
    origin = node.target if isinstance(node, AliasNode) else _origin_of(node)
    return ComponentRecord(
        name=name,
        tag=tag,
        action=action,
        reason=reason,
        sharing=sharing,
        sharing_reason=known,
        source=origin,
    )


def _origin_of(node: ImportNode | ExternalNode) -> str:
    return node.reference or (" ".join(node.command) if isinstance(node, ImportNode) else "")


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run: when, of which stream, and how its components ended so far."""

    id: str
    stream: str
    started: float
    components: tuple[ComponentRecord, ...] = ()
    finished: float | None = None


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody is, or was, at a node of a run."""

    since: float
    log: str
    """Relative to the folder of the run, whether or not anything was logged yet."""


class RunFolder:
    """The folder of one run, written by the process that runs it only."""

    def __init__(self, path: Path, record: RunRecord) -> None:
        self.path = path
        self._record = record
        self._components: dict[tuple[str, str], ComponentRecord] = {}
        self._begun: dict[str, Begun] = {}
        weakref.finalize(self, os.close, _lock(path))

    @property
    def record(self) -> RunRecord:
        """The record so far, components by name."""
        components = tuple(self._components[key] for key in sorted(self._components))
        return msgspec.structs.replace(self._record, components=components)

    def log_of(self, component: str) -> Path:
        """Where the log of ``component`` goes."""
        return self.path / "logs" / log_name(component)

    def remember_plan(self, parents: Mapping[str, tuple[str, ...]]) -> None:
        """Write down what is to be made, parents by node: from now on the run is one.

        Raises StorageError.
        """
        self._replace("plan.json", msgspec.json.encode(parents))
        self._write(self.record)

    def begin(self, node: str, moment: float, *, log: Path) -> None:
        """Remember that somebody is at ``node`` now, and logs there. Raises StorageError."""
        self._begun[node] = Begun(since=moment, log=str(log.relative_to(self.path)))
        self._replace("begun.json", msgspec.json.encode(self._begun))

    def add(self, component: ComponentRecord) -> None:
        """Remember how a component ended. Raises StorageError."""
        self._components[component.name, component.tag] = component
        self._write(self.record)

    def discard(self) -> None:
        """Remove the folder of a run in which nothing could be begun."""
        shutil.rmtree(self.path, ignore_errors=True)

    def finish(self, moment: float) -> RunRecord:
        """Close the record. Raises StorageError."""
        self._record = msgspec.structs.replace(self._record, finished=moment)
        self._write(self.record)
        return self.record

    def _write(self, record: RunRecord) -> None:
        self._replace("run.json", msgspec.json.format(msgspec.json.encode(record)))

    def _replace(self, name: str, content: bytes) -> None:
        temporary = self.path / f"{name}.new"
        try:
            temporary.write_bytes(content)
            temporary.replace(self.path / name)
        except OSError as error:
            raise StorageError(
                f"cannot write the run record in {self.path}: {error.strerror}",
                hint="free space or choose another folder with --state",
            ) from error


def log_name(component: str) -> str:
    """What the file with the log of ``component`` is called."""
    return f"{component.replace('/', '_')}.log"


def start_run(runs: Path, *, stream: str, moment: float) -> RunFolder:
    """A new run folder below ``runs``; old runs that nobody asks for any more are removed.

    Raises StorageError.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(moment))
    try:
        path = _make_folder(runs, f"{stamp}-{os.getpid()}")
    except OSError as error:
        raise StorageError(
            f"cannot create a folder in {runs}: {error.strerror}",
            hint="choose another folder with --state",
        ) from error
    _remove_old(runs)
    return RunFolder(path, RunRecord(id=path.name, stream=stream, started=moment))


def _make_folder(runs: Path, name: str) -> Path:
    """A new folder below ``runs``, numbered when a process starts several runs in a second."""
    for number in itertools.count(1):
        path = runs / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            path.mkdir(parents=True)
            break
    (path / "logs").mkdir()
    return path


def _remove_old(runs: Path) -> None:
    seen: set[str] = set()
    for number, folder in enumerate(_run_folders(runs)):
        logs = {path.name for path in (folder / "logs").glob("*.log")}
        if number >= KEPT_RUNS and logs <= seen:
            shutil.rmtree(folder, ignore_errors=True)
        seen |= logs


def read_runs(runs: Path) -> list[RunRecord]:
    """The records below ``runs``, oldest first; unreadable ones are left out."""
    found = (read_run(folder) for folder in reversed(_run_folders(runs)))
    return [record for record in found if record is not None]


def read_run(folder: Path) -> RunRecord | None:
    """The record of the run in ``folder``; None when there is none that can be read."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((folder / "run.json").read_bytes(), type=RunRecord)
    return None


def read_plan(folder: Path) -> dict[str, tuple[str, ...]]:
    """What the run in ``folder`` is to make, parents by node; nothing where nobody wrote it."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        content = (folder / "plan.json").read_bytes()
        return msgspec.json.decode(content, type=dict[str, tuple[str, ...]])
    return {}


def read_begun(folder: Path) -> dict[str, Begun]:
    """When each node of the run in ``folder`` was begun, also those that have ended since."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((folder / "begun.json").read_bytes(), type=dict[str, Begun])
    return {}


def is_worked_on(folder: Path) -> bool:
    """Whether the process that runs the run in ``folder`` is still there."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def read_durations(records: list[RunRecord]) -> dict[str, float]:
    """Seconds that the newest real build of each tag took: the weights of the next plan."""
    return {
        component.tag or component.name: component.seconds
        for record in records
        for component in record.components
        if component.action is Action.BUILT
    }


def find_log(runs: Path, component: str) -> Path:
    """The newest log of ``component``. Raises UnknownName when no run built it."""
    known: set[str] = set()
    for folder in _run_folders(runs):
        logs = {path.stem: path for path in (folder / "logs").glob("*.log")}
        wanted = logs.get(component.replace("/", "_"))
        if wanted is not None:
            return wanted
        known |= set(logs)
    raise UnknownName(
        "component", component, known=known, hint="no run of this stream has built it yet"
    )


def _lock(path: Path) -> int:
    """The lock of a run, held until the descriptor is closed or this process is gone."""
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StorageError(
            f"cannot lock {path}: {error.strerror}", hint="choose another folder with --state"
        ) from error
    with contextlib.suppress(OSError):  # a folder without locks: its runs count as cut off
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _run_folders(runs: Path) -> list[Path]:
    """The folders below ``runs``, newest first."""
    if not runs.is_dir():
        return []
    return sorted((path for path in runs.iterdir() if path.is_dir()), reverse=True)
