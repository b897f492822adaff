# SPDX-License-Identifier: Apache-2.0
"""Local programs: apart from the controller, bounded, killed with their children, found again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import msgspec
import pytest
from rig import Rig
from runners_rig import MakeContext, await_program, noted, until_ended

from okd_payload.controller.model import FrozenInput, RunState
from okd_payload.controller.records import releases
from okd_payload.controller.verification import run_files
from okd_payload.controller.verification.junit import CaseOutcome, TestCase, write_junit
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.command import CommandRunner
from okd_payload.controller.verification.runners.command import kept as kept_module
from okd_payload.oci.digest import Digest

SCRIPT = "/bin/sh", "-c"


async def run(rig: Rig, context: RunContext) -> RunUpdate:
    """The run from its start to its end."""
    runner = CommandRunner(rig.surroundings)
    update = await runner.start(context)
    assert update.state is RunState.RUNNING, update.message
    return await until_ended(runner, noted(context, update))


async def begun(runner: CommandRunner, context: RunContext, mark: str) -> RunContext:
    """The run once it has printed ``mark``."""
    update = await runner.start(context)
    for _ in range(2000):
        if mark in await asyncio.to_thread(read_log, context):
            return noted(context, update)
        await asyncio.sleep(0.005)
    raise AssertionError(f"{mark} is not printed")


def read_log(context: RunContext) -> str:
    """What the run has printed so far."""
    path = context.folder / run_files.LOG
    return path.read_text(errors="replace") if path.exists() else ""


def is_alive(process: int) -> bool:
    """Whether there is such a process."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


async def until_dead(process: int) -> None:
    """Return when the process is gone."""
    for _ in range(4000):
        if not is_alive(process):
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{process} still runs")


@pytest.mark.parametrize(
    ("script", "state", "message"),
    [
        ("true", RunState.SUCCEEDED, ""),
        ("echo it; echo broke >&2; exit 3", RunState.FAILED, "exit code 3: broke"),
        ("printf 'a\\033[31mb\\n\\n'; exit 1", RunState.FAILED, "exit code 1: a [31mb"),
        ("kill -9 $$", RunState.FAILED, "exit code 137"),
        ("exec /no/such/program", RunState.ERROR, "exit code 127: "),
    ],
)
async def test_the_exit_code_is_the_verdict(
    rig: Rig, make_context: MakeContext, script: str, state: RunState, message: str
) -> None:
    """Why it failed is the last line it printed, with nothing that a page would act on."""
    context = make_context("command", arguments=(*SCRIPT, script))
    update = await run(rig, context)
    assert update.state is state
    assert update.message.startswith(message)
    assert update.log == "log"


HOSTILE = """
head -c 52428800 /dev/zero | tr '\\0' x; echo; echo 'the last line'
cd $ARTIFACT_DIR; printf '<?xml version="1.0" encoding="none"?><testsuite/>' > a.xml
head -c 4096 /dev/urandom > b.xml; mkfifo c.xml; ln -s /etc/passwd d.xml
mkdir "$(printf '\\377')"; echo > "$(printf '\\377')/e"; echo kept > kept
cd $HOME; mkdir -p "$(printf 'a/%.0s' $(seq 1500))"
exit 1
"""


async def test_a_program_that_leaves_only_trouble_has_failed(
    rig: Rig, make_context: MakeContext
) -> None:
    """A line of 50 MB, results in no encoding, names that are no text, endless folders."""
    context = make_context("command", arguments=(*SCRIPT, HOSTILE))
    update = await run(rig, context)
    assert (update.state, update.message) == (RunState.FAILED, "exit code 1: the last line")
    assert update.artifacts == ("artifacts/a.xml", "artifacts/b.xml", "artifacts/kept")
    assert (context.folder / run_files.LOG).stat().st_size < 17 * 1024 * 1024
    assert not any((context.folder / name).exists() for name in kept_module.FOLDERS)


async def test_the_environment_is_the_contract_and_nothing_else(
    rig: Rig, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets of the controller are not handed on, but for those that are named."""
    monkeypatch.setenv("CONTROLLER_PASSWORD", "secret")
    monkeypatch.setenv("CLOUD_KEY", "granted")
    context = make_context(
        "command",
        arguments=(*SCRIPT, "env; echo --; ls -A . $HOME $TMPDIR; echo made > $ARTIFACT_DIR/made"),
        settings={"inherit": "CLOUD_KEY NOT_SET"},
        environment={"JOB_NAME": "mine", "EXTRA": "more"},
        from_pull_spec="quay.test/okd/release@sha256:" + "2" * 64,
        from_release="4.19.0-okd.1",
        platform="aws",
    )
    image = FrozenInput(tag="machine-api", digest=Digest("sha256:" + "3" * 64), reference="q/m@3")
    await rig.database.write(lambda unit: releases.create(unit, context.release, [image]))
    update = await run(rig, context)
    folder = context.folder
    told, _, listed = (folder / update.log).read_text().partition("--\n")
    variables = dict(line.split("=", 1) for line in told.splitlines())
    assert listed == f".:\n\n{folder}/home:\n\n{folder}/tmp:\n"
    told_names = variables.pop("OKD_PAYLOAD_VARIABLES").split()
    assert {"CLOUD_KEY", "EXTRA", "RELEASE_IMAGE_LATEST"} <= set(told_names)
    assert not {"PATH", "HOME", "NOT_SET"} & set(told_names)
    assert variables["PWD"] == f"{folder}/work"
    assert variables.pop("PATH") == os.environ["PATH"]
    shells_own = {"PWD", "OLDPWD", "_", "SHLVL", *run_environment()}
    assert {name: text for name, text in variables.items() if name not in shells_own} == {
        "ARTIFACT_DIR": f"{folder}/artifacts",
        "BUILD_ID": context.run.id,
        "CLOUD_KEY": "granted",
        "CLUSTER_PROFILE": "aws",
        "CLUSTER_TYPE": "aws",
        "EXTRA": "more",
        "HOME": f"{folder}/home",
        "IMAGE_FORMAT": "quay.test/okd/scos:${component}",
        "IMAGE_MACHINE_API": "q/m@3",
        "JOB_NAME": "mine",
        "OPENSHIFT_INSTALL_AWS_PUBLIC_ONLY": "false",
        "PLATFORM": "aws",
        "RELEASE_ARCHITECTURE": "amd64",
        "RELEASE_IMAGE_INITIAL": "quay.test/okd/release@sha256:" + "2" * 64,
        "RELEASE_IMAGE_LATEST": "quay.test/okd/release@sha256:" + "1" * 64,
        "RELEASE_INITIAL_NAME": "4.19.0-okd.1",
        "RELEASE_NAME": "4.20.0-0.test-2026-01-02-030405",
        "RELEASE_STREAM": "4.20.0-0.test",
        "TMPDIR": f"{folder}/tmp",
    }
    assert update.artifacts == ("artifacts/made",)
    assert not any((folder / name).exists() for name in kept_module.FOLDERS)


def run_environment() -> set[str]:
    """Variables without secrets that this machine may have set."""
    return {"LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}


async def test_failed_tests_are_named(
    rig: Rig, make_context: MakeContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where the program left results of tests."""
    context = make_context("command", arguments=(*SCRIPT, "cp $RESULTS $ARTIFACT_DIR; exit 1"))
    results = tmp_path_factory.mktemp("others") / "junit_e2e.xml"
    cases = [TestCase(name=f"t{n}", outcome=CaseOutcome.FAILED) for n in range(9)]
    results.write_bytes(write_junit("e2e", cases))
    runner = msgspec.structs.replace(
        context.verification.runner, environment={"RESULTS": str(results)}
    )
    verification = msgspec.structs.replace(context.verification, runner=runner)
    update = await run(rig, msgspec.structs.replace(context, verification=verification))
    assert update.message == "failed: t0, t1, t2, t3, t4 and more"
    assert update.artifacts == ("artifacts/junit_e2e.xml",)


async def test_of_a_long_log_the_ends_are_kept(
    rig: Rig, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is cut out of the middle is said in its place."""
    monkeypatch.setattr(kept_module, "HALF_LOG_BYTES", 1000)
    script = "echo first; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last"
    context = make_context("command", arguments=(*SCRIPT, script))
    log = (context.folder / (await run(rig, context)).log).read_text()
    assert log.startswith("first\nxxx")
    assert log.endswith("xxx\nlast\n")
    assert "\n[... 998012 bytes left out here ...]\n" in log


async def test_a_controller_that_was_killed_finds_its_run(
    rig: Rig, make_context: MakeContext
) -> None:
    """Alive, started only once however often it is asked for, and at last how it ended."""
    script = "echo run >> $ARTIFACT_DIR/starts; echo begun; read line < $ARTIFACT_DIR/go"
    context = make_context("command", arguments=(*SCRIPT, script))
    gate = context.folder / "artifacts/go"
    gate.parent.mkdir(parents=True)
    os.mkfifo(gate)
    await begun(CommandRunner(rig.surroundings), context, "begun")
    again = CommandRunner(rig.surroundings)
    update = await again.start(context)
    assert (update.state, update.log) == (RunState.RUNNING, "log")
    running = noted(context, update)
    assert (await again.poll(running)).state is RunState.RUNNING
    await asyncio.to_thread(gate.write_text, "go\n")
    assert (await until_ended(again, running)).state is RunState.SUCCEEDED
    assert (context.folder / "artifacts/starts").read_text() == "run\n"
    assert (await CommandRunner(rig.surroundings).start(context)).state is RunState.SUCCEEDED


async def test_two_controllers_start_one_run(rig: Rig, make_context: MakeContext) -> None:
    """Whoever comes second finds it."""
    context = make_context("command", arguments=(*SCRIPT, "echo run >> $ARTIFACT_DIR/starts"))
    runners = [CommandRunner(rig.surroundings) for _ in range(4)]
    await asyncio.gather(*(runner.start(context) for runner in runners))
    assert (await until_ended(runners[0], context)).state is RunState.SUCCEEDED
    assert (context.folder / "artifacts/starts").read_text() == "run\n"


@pytest.mark.parametrize("how", ["cancel", "time", "keeper"])
async def test_nothing_of_a_run_outlives_it(rig: Rig, make_context: MakeContext, how: str) -> None:
    """Cancelled, out of time or with its keeper killed: daemons that it started go too."""
    stubborn = "trap '' TERM; " if how == "time" else ""  # which is waited for, and then not
    programs = [f"sleep 1000.{os.getpid()}{number}" for number in (1, 2)]
    script = f"{stubborn}setsid {programs[0]} & {programs[1]} & echo begun; wait; sleep 1000"
    verification = {"timeout": -56.0} if how == "time" else {}
    context = make_context("command", arguments=(*SCRIPT, script), verification=verification)
    runner = CommandRunner(rig.surroundings)
    running = await begun(runner, context, "begun")
    for program in programs:
        await asyncio.to_thread(await_program, program)
    if how == "cancel":
        await runner.cancel(running)
    elif how == "keeper":
        keeper = msgspec.json.decode((context.folder / "begun.json").read_bytes())["process"]
        os.kill(keeper, signal.SIGKILL)
        await until_dead(keeper)
    update = await until_ended(runner, running)
    for program in programs:
        await asyncio.to_thread(await_program, program, there=False)
    expected = {
        "cancel": (RunState.ABORTED, "it was cancelled"),
        "time": (RunState.ERROR, "it did not end in its time"),
        "keeper": (
            RunState.ERROR,
            "it was cut off: the machine it ran on was restarted, or its keeper was killed",
        ),
    }
    assert (update.state, update.message) == expected[how]


async def test_limits_hold(rig: Rig, make_context: MakeContext) -> None:
    """A file that grows too large ends the program."""
    script = "head -c 3000000 /dev/zero > $HOME/large"
    context = make_context("command", arguments=(*SCRIPT, script), settings={"fileSize": "1"})
    update = await run(rig, context)
    assert update.state is RunState.FAILED
    context = make_context(
        "command", name="small", arguments=(*SCRIPT, "ulimit -v"), settings={"memory": "512"}
    )
    update = await run(rig, context)
    assert (context.folder / update.log).read_text() == f"{512 * 1024}\n"


async def test_a_program_that_is_not_there_is_an_error(rig: Rig, make_context: MakeContext) -> None:
    """Nothing is said of the release."""
    context = make_context("command", arguments=("no-such-program",))
    update = await CommandRunner(rig.surroundings).start(context)
    assert update.state is RunState.ERROR
    assert update.message == "there is no program no-such-program here"


async def test_a_run_of_another_machine_is_not_begun_again(
    rig: Rig, make_context: MakeContext
) -> None:
    """Nothing of it is here, and it may still be running there."""
    context = make_context("command", arguments=("true",), handle="elsewhere/x")
    update = await CommandRunner(rig.surroundings).poll(context)
    assert update.state is RunState.ERROR
    assert update.message == "it was begun on elsewhere, which does not act any more"
    here = make_context("command", arguments=("true",), handle=f"{socket.gethostname()}/x")
    assert (await CommandRunner(rig.surroundings).poll(here)).state is RunState.RUNNING
    await until_ended(CommandRunner(rig.surroundings), here)


async def test_cancelling_what_never_ran_is_no_error(rig: Rig, make_context: MakeContext) -> None:
    """And neither is cancelling what has ended."""
    context = make_context("command", arguments=("true",))
    runner = CommandRunner(rig.surroundings)
    await runner.cancel(context)
    await run(rig, context)
    await runner.cancel(context)
