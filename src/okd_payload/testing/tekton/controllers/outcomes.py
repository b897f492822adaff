# SPDX-License-Identifier: Apache-2.0
"""What happens to the pods of runs: scripted by tests, drawn at random, or really done.

A test gives the node a function from an attempt (one pod of one TaskRun) to an ``Outcome``:

    node = Node(lambda attempt: FAILED if attempt.number == 0 else SUCCEEDED)
    node = Node(Script(etcd=[pulls_no_image(), SUCCEEDED]).of("okd-payload.io/component"))
    node = Node(Chance(seed=7, seconds=(5, 600), faults={Fault.EVICTED: 0.05}))

``Outcome.work`` is called when the steps run, and may do real work: build the image, push it, and
say with which results.
"""

from __future__ import annotations

import enum
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject, labels_of, name_of

Result = str | list[str] | dict[str, str]


class Fault(enum.Enum):
    """What goes wrong with a pod, other than its steps."""

    IMAGE_PULL = "image pull"
    """The image cannot be pulled: twice tried, then given up."""
    CONFIG_ERROR = "container config"
    """A container cannot be made, as when a Secret of its environment is missing."""
    UNSCHEDULABLE = "unschedulable"
    """No node has room."""
    STUCK = "stuck"
    """The pod waits for a volume that never comes."""
    EVICTED = "evicted"
    """The kubelet evicts the pod while it runs."""
    DELETED = "deleted"
    """Somebody deletes the pod while it runs: its containers are told to end."""
    FORCE_DELETED = "force-deleted"
    """Somebody deletes the pod at once."""
    NODE_LOST = "node lost"
    """The node is gone: the pod hangs, is marked, and is removed after a while."""


class StepOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one step goes."""

    seconds: float = 1.0
    exit_code: int = 0
    results: Mapping[str, Result] = {}
    """What it writes before it ends, however it ends."""
    log: str = ""
    out_of_memory: bool = False


Work = Callable[["Attempt"], Awaitable[Sequence[StepOutcome]]]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one pod goes."""

    steps: tuple[StepOutcome, ...] = ()
    """By position; a step without one succeeds after a second."""
    fault: Fault | None = None
    fault_seconds: float = 1.0
    """How long the steps run before the fault, for faults of running pods."""
    message: str = ""
    """What the fault says."""
    start_seconds: float = 2.0
    """From the node's taking the pod to the first step."""
    work: Work | None = None
    """Done in place of the steps when the pod runs; says how the steps went."""


class Attempt(msgspec.Struct, frozen=True):
    """One pod of a run."""

    task_run: JsonObject
    """The run as it was when the pod was made."""
    pod: str
    number: int
    """0 for the first pod of this name."""
    print_text: Callable[[str, str], None]

    @property
    def name(self) -> str:
        """The name of the TaskRun."""
        return name_of(self.task_run)

    def label(self, key: str) -> str:
        """A label of the TaskRun; empty when it has none."""
        return labels_of(self.task_run).get(key, "")

    def print(self, step: str, text: str) -> None:
        """Let a step print."""
        self.print_text(step, text)


Decide = Callable[[Attempt], Outcome]
"""How the pods of a cluster go; asked once for each pod."""

SUCCEEDED = Outcome()


def succeeds(*, seconds: float = 1.0, **results: Result) -> Outcome:
    """All is well, after so long, with these results of the first step."""
    return Outcome(steps=(StepOutcome(seconds=seconds, results=results),))


def fails(exit_code: int = 1, *, seconds: float = 1.0, log: str = "") -> Outcome:
    """The first step fails."""
    return Outcome(steps=(StepOutcome(seconds=seconds, exit_code=exit_code, log=log),))


def runs_out_of_memory(*, seconds: float = 1.0) -> Outcome:
    """The first step is killed for its memory."""
    return Outcome(steps=(StepOutcome(seconds=seconds, exit_code=137, out_of_memory=True),))


def suffers(fault: Fault, *, after: float = 1.0, message: str = "") -> Outcome:
    """Something goes wrong with the pod."""
    return Outcome(
        steps=(StepOutcome(seconds=after + 3600),),
        fault=fault,
        fault_seconds=after,
        message=message,
    )


class Script:
    """Outcomes in their order by a key; what has none left goes well."""

    def __init__(self, *, rest: Outcome = SUCCEEDED, **outcomes: Sequence[Outcome]) -> None:
        self.attempts: dict[str, int] = defaultdict(int)
        """How many pods there were, by key."""
        self._rest = rest
        self._outcomes = {key: deque(it) for key, it in outcomes.items()}

    def add(self, key: str, *outcomes: Outcome) -> None:
        """Let the next pods of ``key`` go like this."""
        self._outcomes.setdefault(key, deque()).extend(outcomes)

    def of(self, label: str) -> Decide:
        """The function for a node, with a label of the TaskRun as the key."""
        return lambda attempt: self.next(attempt.label(label))

    def __call__(self, attempt: Attempt) -> Outcome:
        """The function for a node, with the name of the TaskRun as the key."""
        return self.next(attempt.name)

    def next(self, key: str) -> Outcome:
        """How the next pod of ``key`` goes."""
        self.attempts[key] += 1
        left = self._outcomes.get(key)
        return left.popleft() if left else self._rest


class Chance:
    """Outcomes by chance, the same ones for the same seed and the same order of pods."""

    def __init__(
        self,
        *,
        seed: int,
        seconds: tuple[float, float] = (1.0, 60.0),
        failures: float = 0.0,
        out_of_memory: float = 0.0,
        faults: Mapping[Fault, float] | None = None,
        work: Work | None = None,
    ) -> None:
        """Probabilities are those of each pod; ``work`` is done by pods that go well."""
        self._random = random.Random(seed)  # noqa: S311 (a simulation needs no secrets)
        self._seconds = seconds
        self._failures = failures
        self._out_of_memory = out_of_memory
        self._faults = dict(faults or {})
        self._work = work

    def __call__(self, _: Attempt) -> Outcome:
        """How this pod goes."""
        seconds = self._random.uniform(*self._seconds)
        drawn = self._random.random()
        for fault, probability in self._faults.items():
            if drawn < probability:
                return suffers(fault, after=seconds)
            drawn -= probability
        if drawn < self._failures:
            return fails(seconds=seconds)
        if drawn - self._failures < self._out_of_memory:
            return runs_out_of_memory(seconds=seconds)
        return Outcome(steps=(StepOutcome(seconds=seconds),), work=self._work)
