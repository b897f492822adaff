# SPDX-License-Identifier: Apache-2.0
"""The pod that ``deployments/controller`` describes, run on this machine as a cluster would.

What the Deployment says is taken as it is: arguments, variables, mounts, volumes and security
context. Only what a cluster decides is decided here: the user, the port (the network is this
machine's) and the objects that whoever deploys makes.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from okd_payload.testing.ports import reserve_port
from okd_payload.testing.task_runner.model import TaskRun, decode_task_run
from okd_payload.testing.task_runner.roots import Images
from okd_payload.testing.task_runner.runner import TaskRunner
from okd_payload.testing.task_runner.volumes import Surroundings

DEPLOYMENT = Path(__file__).resolve().parents[3] / "deployments" / "controller" / "kubernetes"
_PATIENCE_SECONDS = 60.0


class ControllerPod:
    """One that runs."""

    def __init__(self, port: int, folder: Path, running: asyncio.Task[Any]) -> None:
        self._port = port
        self._folder = folder
        self._running = running

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of its answer; 0 while nothing answers."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return 0, ""
        with contextlib.closing(writer):
            request = f"GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n"
            writer.write(request.encode())
            answer = await reader.read()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body.decode(errors="replace")

    async def wait_for(self, path: str, words: str) -> str:
        """The answer once it has ``words``; fails with the pod's log when it ends before."""
        text = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not self._running.done():
                    _, text = await self.get(path)
                    if words in text:
                        return text
                    await asyncio.sleep(0.2)
        raise AssertionError(f"no {words!r} at {path}, but:\n{text}\n{self.log()}")

    def log(self) -> str:
        """What it logged."""
        return "".join(path.read_text() for path in self._folder.glob("*/pod-*/logs/*"))


@contextlib.asynccontextmanager
async def run_controller(
    images: Images,
    image: str,
    folder: Path,
    *,
    user: Mapping[str, int],
    objects: Surroundings,
) -> AsyncIterator[ControllerPod]:
    """The pod, from the answer of its first probe to the end of the block."""
    pod = _read_deployment()["spec"]["template"]["spec"]
    probe = pod["containers"][0]["startupProbe"]["httpGet"]["path"]
    async with TaskRunner(images, folder=folder, surroundings=objects) as runner:
        with reserve_port() as port:
            running = asyncio.create_task(runner.run(_describe(pod, image, port, user)))
            made = ControllerPod(port, folder, running)
            try:
                await made.wait_for(probe, "ok")
                yield made
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running


def _describe(pod: dict[str, Any], image: str, port: int, user: Mapping[str, int]) -> TaskRun:
    """A TaskRun whose only step is the container of ``pod``, for it is TaskRuns that can be run."""
    (container,) = pod["containers"]
    step = {
        "name": "controller",
        "image": image,
        "args": [each.replace("--port=8080", f"--port={port}") for each in container["args"]],
        "env": container["env"],
        "volumeMounts": container["volumeMounts"],
        "securityContext": pod["securityContext"] | container["securityContext"] | dict(user),
    }
    spec = {"taskSpec": {"steps": [step], "volumes": pod["volumes"]}}
    document = {"metadata": {"name": "controller-0"}, "spec": spec}
    return decode_task_run(msgspec.json.encode(document))


def _read_deployment() -> dict[str, Any]:
    ended = subprocess.run(
        ["kubectl", "kustomize", DEPLOYMENT], capture_output=True, text=True, check=True
    )
    found = [each for each in yaml.safe_load_all(ended.stdout) if each["kind"] == "Deployment"]
    return dict(found[0])
