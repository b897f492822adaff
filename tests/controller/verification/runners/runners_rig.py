# SPDX-License-Identifier: Apache-2.0
"""A release whose payload is made, and runs of it for runners to carry out."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import pytest
from rig import CONTENT, INPUT, STREAM, Rig

from okd_payload.controller.configuration.model import Runner as RunnerSettings
from okd_payload.controller.configuration.model import Verification
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.verification.runner import RunContext, Runner, RunUpdate
from okd_payload.testing.small_stream import push_component, push_small_stream

MakeContext = Callable[..., RunContext]
MakeRelease = Callable[..., Awaitable[Release]]


@pytest.fixture
def make_release(rig: Rig) -> MakeRelease:
    """Makes real payloads of the small stream, in memory."""

    async def make(
        name: str = "4.20.0-0.test-2026-01-02-030405",
        *,
        programs: Mapping[str, str] | None = None,
        **small: Any,
    ) -> Release:
        await push_small_stream(rig.repository(INPUT), **small)
        for tag, program in (programs or {}).items():
            files = {"bin/plain": "not to be run"}
            await push_component(rig.repository(INPUT), tag, files, entrypoint=[program])
        configuration = rig.streams[STREAM]
        inputs = await read_input(rig.surroundings, configuration)
        release = Release(
            name=name,
            stream=STREAM,
            created=rig.clock.now(),
            changed=rig.clock.now(),
            input_hash="",
        )
        made = await make_payload(rig.surroundings, configuration, release, inputs.images)
        return msgspec.structs.replace(
            release, phase=Phase.READY, digest=made.digest, pull_spec=made.pull_spec
        )

    return make


@pytest.fixture
def make_context(rig: Rig) -> MakeContext:
    """Makes what a runner is told of a run."""

    def make(
        kind: str, release: Release | None = None, *, name: str = "e2e", **fields: Any
    ) -> RunContext:
        tested = release or Release(
            name="4.20.0-0.test-2026-01-02-030405",
            stream=STREAM,
            phase=Phase.READY,
            created=rig.clock.now(),
            changed=rig.clock.now(),
            input_hash="",
            pull_spec="quay.test/okd/release@sha256:" + "1" * 64,
        )
        runner = RunnerSettings(
            kind=kind,
            settings=fields.pop("settings", {}),
            arguments=fields.pop("arguments", ()),
            environment=fields.pop("environment", {}),
        )
        verification = Verification(
            name=name, runner=runner, **fields.pop("verification", {"platform": "aws"})
        )
        run = VerificationRun(
            id=f"{tested.name}-{name}",
            release=tested.name,
            verification=name,
            runner=kind,
            queued=rig.clock.now(),
            **fields,
        )
        return RunContext(
            configuration=rig.streams[STREAM],
            verification=verification,
            release=tested,
            run=run,
            folder=rig.surroundings.state / "runs" / run.id,
        )

    return make


def noted(context: RunContext, update: RunUpdate) -> RunContext:
    """``context`` after the controller wrote ``update`` down."""
    run = msgspec.structs.replace(
        context.run,
        state=update.state,
        handle=update.handle or context.run.handle,
        url=update.url or context.run.url,
        message=update.message,
    )
    return msgspec.structs.replace(context, run=run)


async def until_ended(
    runner: Runner, context: RunContext, *, woken: asyncio.Event | None = None
) -> RunUpdate:
    """Poll until the run has ended; between polls wait for ``woken``, or for other tasks."""
    for _ in range(2000):
        update = await runner.poll(context)
        if update.state not in (RunState.QUEUED, RunState.RUNNING):
            return update
        context = noted(context, update)
        if woken is None:
            await asyncio.sleep(0.005)
        else:
            await woken.wait()
            woken.clear()
    raise AssertionError("the run does not end")


def runs(program: str) -> bool:
    """Whether a program with these words in its command is among the processes of this machine."""
    listed = subprocess.run(("ps", "-eo", "stat,args"), check=True, capture_output=True, text=True)
    return any(program in line and not line.startswith("Z") for line in listed.stdout.splitlines())


def await_program(program: str, *, there: bool = True) -> None:
    """Return when it runs, or does not run any more."""
    deadline = time.monotonic() + 60
    while runs(program) is not there:
        assert time.monotonic() < deadline, program
        time.sleep(0.05)


__all__ = ["CONTENT", "MakeContext", "MakeRelease", "await_program", "noted", "runs", "until_ended"]
