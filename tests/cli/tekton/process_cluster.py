# SPDX-License-Identifier: Apache-2.0
"""A simulated cluster behind a real API server, whose pods are processes of this machine.

It lives in a thread of its own, so that commands can be run here as users run them. A pod runs
the command of its TaskRun with the parameters and results filled in, as Tekton does; its folders
are its own. So what is built is built by the real buildah, wherever the plan is made.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from okd_payload.cluster.kinds import EVENT, POD, SERVICE_ACCOUNT, TASK_RUN
from okd_payload.engines.pod.accounts import COORDINATOR
from okd_payload.testing.kubernetes import JsonObject, SimulatedCluster
from okd_payload.testing.kubernetes.server import KubernetesServer
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import Attempt, Outcome, StepOutcome
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns

Result = TypeVar("Result")
NAMESPACE = "builds"
_RESULT = re.compile(r"\$\(results\.([\w-]+)\.path\)")
_PARAMETER = re.compile(r"\$\(params\.([\w-]+)\)")


class QuickClock:
    """A clock on which a second takes a hundredth of one."""

    def __init__(self) -> None:
        self._start = 1_800_000_000.0

    def now(self) -> float:
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() * 100

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


class ProcessCluster:
    """The cluster; ``kubeconfig`` is the way to it."""

    def __init__(self, folder: Path, *, has_tekton: bool = True) -> None:
        self.folder = folder
        self._has_tekton = has_tekton
        self.kubeconfig = folder / "kubeconfig"
        self.commands: list[list[str]] = []
        """What every pod ran."""
        self.task_runs: list[JsonObject] = []
        """Every TaskRun that got a pod, as it was made."""
        self.delays: Callable[[JsonObject], float] = lambda _: 0.0
        """Seconds that a pod waits before its command."""
        self.simulated: SimulatedCluster
        self._number = 0
        self._ready = threading.Event()
        self._stopping: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def ask(self, work: Callable[[SimulatedCluster], Result]) -> Result:
        """What ``work`` finds in the cluster now."""

        async def call() -> Result:
            return work(self.simulated)

        return self._run(call())

    @property
    def left(self) -> list[str]:
        """The names of all TaskRuns and pods that are there."""
        found = self.ask(lambda it: it.objects(TASK_RUN) + it.objects(POD))
        return sorted(each["metadata"]["name"] for each in found)

    def wait_for(self, holds: Callable[[SimulatedCluster], bool]) -> None:
        """Return when something holds, which must be soon."""

        async def until() -> None:
            async with asyncio.timeout(60):
                if holds(self.simulated):
                    return
                async for _ in self.simulated.changes(TASK_RUN, POD):
                    if holds(self.simulated):
                        return

        self._run(until())

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(90)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self.simulated = SimulatedCluster(clock=QuickClock())
        if self._has_tekton:
            add_tekton(self.simulated)
        self.simulated.serve(EVENT)
        self.simulated.add_namespace(NAMESPACE)
        account = {"metadata": {"name": COORDINATOR, "namespace": NAMESPACE}}
        self.simulated.create(SERVICE_ACCOUNT, account)
        if self._has_tekton:
            self.simulated.controllers += [TaskRuns(), Node(self._decide)]
        async with KubernetesServer(self.simulated) as server:
            server.write_kubeconfig(self.kubeconfig, namespace=NAMESPACE)
            self._ready.set()
            await self._stopping.wait()

    def _decide(self, attempt: Attempt) -> Outcome:
        self.task_runs.append(attempt.task_run)
        return Outcome(work=self._work, start_seconds=1.0)

    async def _work(self, attempt: Attempt) -> Sequence[StepOutcome]:
        await asyncio.sleep(self.delays(attempt.task_run))
        self._number += 1
        place = self.folder / f"pod-{self._number}"
        (place / "results").mkdir(parents=True)
        spec = attempt.task_run["spec"]
        (step,) = spec["taskSpec"]["steps"]
        given = {item["name"]: item["value"] for item in spec.get("params", [])}
        command = [
            _RESULT.sub(
                lambda found: str(place / "results" / found[1]),
                _PARAMETER.sub(lambda found: given[found[1]], word),
            )
            for word in step["args"]
        ]
        self.commands.append(command)
        own = {item["name"]: _fill_in(item["value"], attempt) for item in step["env"]}
        folders = {
            "OKD_PAYLOAD_CACHE": str(self.folder / "cache"),
            "OKD_PAYLOAD_STATE": str(place / "state"),
            "TMPDIR": str(self.folder),
            "HOME": str(place),
            "KUBECONFIG": str(self.kubeconfig),
        }
        code = await _run_process(
            [sys.executable, "-m", "okd_payload", *command],
            {**os.environ, **own, **folders},
            show=lambda text: attempt.print(step["name"], text),
        )
        results = {file.name: file.read_text() for file in (place / "results").iterdir()}
        return [StepOutcome(seconds=0, exit_code=code, results=results)]


async def _run_process(
    command: list[str], environment: dict[str, str], *, show: Callable[[str], None]
) -> int:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            show(line.decode(errors="replace"))
        return await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _fill_in(value: str, attempt: Attempt) -> str:
    metadata = attempt.task_run["metadata"]
    for name in ("name", "uid"):
        value = value.replace(f"$(context.taskRun.{name})", metadata[name])
    return value
