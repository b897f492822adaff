# SPDX-License-Identifier: Apache-2.0
"""What containers print: text by pod and container, each line with the moment it was printed.

A controller that plays the kubelet appends; readers get what an API server gives, in the text
and in the refusals. Which container may be read is decided by the pod's status. A log goes with
its pod, except for whoever reads it already.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator

import msgspec

from okd_payload.clock import Clock
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, name_of, uid_of
from okd_payload.testing.kubernetes.statuses import bad_request, invalid, invalid_value
from okd_payload.testing.kubernetes.waking import Waker

_KINDS = (
    ("initContainers", "initContainerStatuses"),
    ("containers", "containerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a log, and how."""

    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: float = 0.0
    """Seconds since the epoch; lines before are left out."""
    tail: int | None = None
    most_bytes: int | None = None


class _Line(msgspec.Struct, frozen=True):
    moment: float
    text: bytes

    def show(self, *, timestamps: bool) -> bytes:
        return _stamp(self.moment).encode() + b" " + self.text if timestamps else self.text


class _Log:
    """What one container printed so far."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []
        self.ended = False
        self.readers: list[Waker] = []

    def tell(self) -> None:
        for reader in list(self.readers):
            reader.set()


class PodLogs:
    """The logs of all pods of a cluster."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logs: dict[tuple[str, str], _Log] = {}
        self._previous: dict[tuple[str, str], _Log] = {}

    def append(self, pod: JsonObject, container: str, text: bytes | str) -> None:
        """Let ``container`` print ``text``; a line may come in several pieces."""
        log = self._log(pod, container)
        data = text.encode() if isinstance(text, str) else text
        for piece in data.splitlines(keepends=True):
            if log.lines and not log.lines[-1].text.endswith(b"\n"):
                last = log.lines[-1]
                log.lines[-1] = _Line(last.moment, last.text + piece)
            else:
                log.lines.append(_Line(self._clock.now(), piece))
        log.tell()

    def end(self, pod: JsonObject, container: str) -> None:
        """Let ``container`` print nothing more: whoever follows it is done."""
        log = self._log(pod, container)
        log.ended = True
        log.tell()

    def restart(self, pod: JsonObject, container: str) -> None:
        """Begin a new log for ``container``; the one so far becomes the previous one."""
        key = (uid_of(pod), container)
        self.end(pod, container)
        self._previous[key] = self._logs.pop(key)

    def settle(self, pod: JsonObject) -> None:
        """Whatever has ended by the status of ``pod`` prints nothing more."""
        for _, statuses in _KINDS:
            for status in list_at(pod, "status", statuses):
                if "terminated" in (status.get("state") or {}):
                    self.end(pod, str(status.get("name")))

    def forget(self, pod: JsonObject) -> None:
        """The pod is gone, and its logs with it."""
        for key in [key for key in self._logs if key[0] == uid_of(pod)]:
            log = self._logs.pop(key)
            log.ended = True
            log.tell()

    def open(self, pod: JsonObject, options: LogOptions) -> AsyncIterator[bytes]:
        """The log, in pieces. Refuses as the API server does, at once."""
        container = choose_container(pod, options.container)
        key = (uid_of(pod), container)
        if options.previous:
            if key not in self._previous:
                raise bad_request(
                    f'previous terminated container "{container}" in pod "{name_of(pod)}" not found'
                )
            return _read(self._previous[key], options, follow=False)
        waiting = _waits(pod, container)
        if waiting:
            raise bad_request(
                f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {waiting}'
            )
        if _terminated(pod, container):
            self.end(pod, container)
        return _read(self._log(pod, container), options, follow=options.follow)

    def _log(self, pod: JsonObject, container: str) -> _Log:
        return self._logs.setdefault((uid_of(pod), container), _Log())


def check_options(pod: str, numbers: dict[str, int]) -> None:
    """Refuse numbers of a log request that mean nothing; ``numbers`` by their names."""
    causes = []
    for name, value in numbers.items():
        least = 0 if name == "tailLines" else 1
        if value < least:
            bound = f"must be greater than or equal to {least}" if not least else "must be > 0"
            causes.append(invalid_value(name, value, bound))
    if causes:
        raise invalid("PodLogOptions", "", pod, causes)


def choose_container(pod: JsonObject, wanted: str) -> str:
    """The container that is meant. Refuses names that the pod does not have."""
    names = [
        str(container.get("name", ""))
        for containers, _ in _KINDS
        for container in list_at(pod, "spec", containers)
    ]
    if wanted:
        if wanted not in names:
            raise bad_request(f"container {wanted} is not valid for pod {name_of(pod)}")
        return wanted
    own = [str(each.get("name", "")) for each in list_at(pod, "spec", "containers")]
    if len(own) == 1 and len(names) == 1:
        return own[0]
    raise bad_request(
        f"a container name must be specified for pod {name_of(pod)}, "
        f"choose one of: [{' '.join(names)}]"
    )


def _state(pod: JsonObject, container: str) -> JsonObject:
    for _, statuses in _KINDS:
        for status in list_at(pod, "status", statuses):
            if status.get("name") == container:
                state = status.get("state")
                return state if isinstance(state, dict) else {}
    return {}


def _waits(pod: JsonObject, container: str) -> str:
    """Why the container has no log yet; empty when it has one."""
    state = _state(pod, container)
    if "running" in state or "terminated" in state:
        return ""
    waiting = state.get("waiting")
    return str(waiting.get("reason", "")) if isinstance(waiting, dict) else "ContainerCreating"


def _terminated(pod: JsonObject, container: str) -> bool:
    return "terminated" in _state(pod, container)


async def _read(log: _Log, options: LogOptions, *, follow: bool) -> AsyncIterator[bytes]:
    """The lines that are wanted, as they come; not more bytes than are wanted."""
    left = options.most_bytes
    async for line in _lines(log, options, follow=follow):
        text = line.show(timestamps=options.timestamps)[:left]
        if left is not None:
            left -= len(text)
        if text:
            yield text
        if left == 0:
            return


async def _lines(log: _Log, options: LogOptions, *, follow: bool) -> AsyncIterator[_Line]:
    at, grown = _start(log, options), Waker()
    log.readers.append(grown)
    try:
        while True:
            grown.clear()
            whole = len(log.lines)
            if follow and not log.ended and whole and not log.lines[-1].text.endswith(b"\n"):
                whole -= 1  # a line is told when it is complete
            for line in log.lines[at:whole]:
                yield line
            at = max(at, whole)
            if not follow or (log.ended and at >= len(log.lines)):
                return
            await grown.wait()
    finally:
        log.readers.remove(grown)


def _start(log: _Log, options: LogOptions) -> int:
    """The number of the first line that is wanted."""
    at = sum(1 for line in log.lines if line.moment < options.since)
    if options.tail is not None:
        at = max(at, len(log.lines) - options.tail)
    return at


def _stamp(moment: float) -> str:
    whole, nanoseconds = divmod(round(moment * 1e9), 10**9)
    text = dt.datetime.fromtimestamp(whole, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanoseconds:09d}Z"


_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", flags=re.IGNORECASE
)


def read_moment(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time, as ``sinceTime`` has it."""
    found = _RFC3339.match(text)
    if found is None:
        raise bad_request(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    zone = "+00:00" if found[3] in "Zz" else found[3]
    return dt.datetime.fromisoformat(found[1] + zone).timestamp() + float(found[2] or 0)
