# SPDX-License-Identifier: Apache-2.0
"""What is the controller's is hidden from local programs, as far as the machine allows."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from pathlib import Path

import msgspec
import pytest
from rig import Rig
from runners_rig import MakeContext, noted, until_ended

from okd_payload.controller.configuration.model import (
    PublishAction,
    Runner,
    Schedule,
    StreamConfiguration,
    Verification,
)
from okd_payload.controller.model import RunState
from okd_payload.controller.verification.runner import RunContext
from okd_payload.controller.verification.runners.command import CommandRunner
from okd_payload.controller.verification.runners.command.sandbox import find_credentials

FLAGS = "--user --map-root-user --mount --pid --fork --kill-child --mount-proc --ipc --net"
CAN_HIDE = (
    subprocess.run(("unshare", *FLAGS.split(), "true"), check=False, timeout=60).returncode == 0
)
hides = pytest.mark.skipif(not CAN_HIDE, reason="nobody may make namespaces here")


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the controller's user, with credentials in it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in (".ssh/id", ".docker/config.json", ".config/containers/auth.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a credential")
    (folder / ".netrc").write_text("a credential")
    (folder / "verify.sh").write_text("echo a program of the user")
    return folder


async def printed(rig: Rig, context: RunContext) -> list[str]:
    """The lines that a program prints, which has to succeed."""
    runner = CommandRunner(rig.surroundings)
    update = await until_ended(runner, noted(context, await runner.start(context)))
    log = (context.folder / update.log).read_text()
    assert update.state is RunState.SUCCEEDED, log
    return log.splitlines()


def await_line(path: Path, text: str) -> None:
    """Return when ``text`` is in the file."""
    deadline = time.monotonic() + 60
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < deadline, text
        time.sleep(0.02)


def script(text: str) -> tuple[str, ...]:
    """``text`` as a command."""
    return ("/bin/sh", "-c", text)


@hides
async def test_what_is_the_controllers_is_hidden(
    rig: Rig, make_context: MakeContext, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records, other runs, processes, and credentials of its user; the rest is as it is."""
    monkeypatch.setenv("OKD_PAYLOAD_TOKEN", "a token of ours")
    state = rig.surroundings.state
    (state / "records.db").write_text("a credential")
    (state / "runs/other").mkdir(parents=True)
    (state / "runs/other/log").write_text("a log")
    places = (home / ".ssh/id", home / ".docker/config.json", home / ".netrc", state / "records.db")
    context = make_context(
        "command",
        arguments=script(
            f"""
            for file in {" ".join(map(str, places))} {home}/.config/containers/auth.json
            do grep -l credential $file 2>/dev/null; done
            ls {state} {state}/runs | tr '\\n' ' '; echo
            cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep OKD_PAYLOAD_TOKEN
            kill -0 {os.getpid()} 2>/dev/null && echo alive
            umount {state} 2>/dev/null && echo shown
            sh {home}/verify.sh; id -u
            echo kept > $ARTIFACT_DIR/kept; echo scratch > $HOME/scratch; cat $HOME/scratch
            """
        ),
    )
    lines = await printed(rig, context)
    assert lines == [
        f"{state}: runs  {state}/runs: {context.run.id} ",
        "a program of the user",
        str(os.getuid()),
        "scratch",
    ]
    assert (context.folder / "artifacts/kept").read_text() == "kept\n"


@hides
async def test_a_program_writes_nothing_of_its_run_but_what_is_its_own(
    rig: Rig, make_context: MakeContext
) -> None:
    """Not its end, and no link in the place of its log, through which others would be read."""
    state = rig.surroundings.state
    (state / "records.db").write_text("a credential")
    context = make_context(
        "command",
        arguments=script(
            f"""
            cd $ARTIFACT_DIR/..; rm -f log lock begun.json; ln -s {state}/records.db log
            echo '{{"state": "Failed"}}' > outcome.json; echo '{{"code": 3}}' > ended.json
            mv artifacts away 2>/dev/null || echo stays
            rmdir artifacts 2>/dev/null || echo stays
            echo kept > $ARTIFACT_DIR/kept
            """
        ),
    )
    assert await printed(rig, context) == ["stays", "stays"]
    assert not (context.folder / "log").is_symlink()
    assert (context.folder / "artifacts/kept").read_text() == "kept\n"


@hides
async def test_the_network_is_there_unless_the_stream_says_no(
    rig: Rig, make_context: MakeContext
) -> None:
    """Most tests need it; what needs none can be kept from it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ask = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached || echo refused"
        arguments = ("bash", "-c", f"({ask}) 2>/dev/null")
        context = make_context("command", arguments=arguments)
        assert await printed(rig, context) == ["reached"]
        settings = {"network": "none"}
        context = make_context("command", name="alone", arguments=arguments, settings=settings)
        assert await printed(rig, context) in (["refused"], [])


async def test_a_stream_can_have_it_as_it_was(
    rig: Rig, make_context: MakeContext, home: Path
) -> None:
    """For programs that need the rights of other users, as with sudo."""
    context = make_context(
        "command", arguments=script(f"cat {home}/.netrc"), settings={"sandbox": "no"}
    )
    assert await printed(rig, context) == ["a credential"]


@hides
@pytest.mark.parametrize(("code", "state"), [(0, RunState.SUCCEEDED), (3, RunState.FAILED)])
async def test_a_program_that_is_asked_to_end_may_tidy_up(
    rig: Rig, make_context: MakeContext, code: int, state: RunState
) -> None:
    """Its exit code is its own, and a trap of it runs when the run is cancelled."""
    context = make_context("command", name=f"n{code}", arguments=script(f"exit {code}"))
    runner = CommandRunner(rig.surroundings)
    update = await until_ended(runner, noted(context, await runner.start(context)))
    assert update.state is state
    trap = "trap 'echo tidy; exit 0' TERM; echo begun; while :; do sleep 0.1; done"
    context = make_context("command", name=f"t{code}", arguments=script(trap))
    running = noted(context, await runner.start(context))
    log = context.folder / "log"
    await asyncio.to_thread(await_line, log, "begun")
    await runner.cancel(running)
    update = await until_ended(runner, running)
    assert update.state is RunState.ABORTED
    assert log.read_text().endswith("tidy\n")


@hides
@pytest.mark.parametrize(
    ("settings", "state", "line"),
    [
        ({}, RunState.SUCCEEDED, "[not in a sandbox: this machine lets nobody make namespaces]"),
        ({"sandbox": "yes"}, RunState.ERROR, "[it cannot be started in a sandbox: "),
        ({"network": "none"}, RunState.ERROR, "[it cannot be started in a sandbox: "),
    ],
)
async def test_where_nothing_can_be_hidden_that_is_said(
    rig: Rig,
    make_context: MakeContext,
    settings: dict[str, str],
    state: RunState,
    line: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A stream that insists has an error instead; as in a pod without namespaces."""
    tools = tmp_path_factory.mktemp("tools")
    (tools / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (tools / "unshare").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    context = make_context(
        "command", arguments=script("echo done"), settings=settings, environment={"PATH": path}
    )
    runner = CommandRunner(rig.surroundings)
    update = await until_ended(runner, noted(context, await runner.start(context)))
    lines = (context.folder / update.log).read_text().splitlines()
    assert update.state is state
    assert lines[0].startswith(line)
    assert lines[1:] == (["done"] if state is RunState.SUCCEEDED else [])


def test_credentials_are_found_and_what_is_handed_on_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the user, of variables, and those that streams name anywhere; only what is there."""
    monkeypatch.chdir(tmp_path)
    for name in ("auth.json", "token", "key.asc", "kube", "near.asc", "periodic"):
        (tmp_path / name).write_text("x")
    runner = Runner(kind="github", settings={"tokenFile": f"{tmp_path}/token"})
    periodic = Runner(kind="webhook", settings={"secretFile": "periodic", "tokenFile": ""})
    stream = StreamConfiguration(
        name="s",
        verifications=(Verification(name="v", runner=runner),),
        schedules=(
            Schedule(name="p", kind="verify", verification=Verification(name="p", runner=periodic)),
        ),
        publications=(
            PublishAction(name="near", kind="sign", key="near.asc"),
            PublishAction(name="sign", kind="sign", key=f"{tmp_path}/key.asc"),
            PublishAction(name="card", kind="sign", key="gpg:ABC"),
        ),
    )
    environment = {
        "HOME": str(tmp_path / "home"),
        "REGISTRY_AUTH_FILE": f"{tmp_path}/auth.json",
        "KUBECONFIG": f"{tmp_path}/kube:{tmp_path}/absent",
    }
    found = find_credentials([stream], environment=environment, kept=())
    named = {"key.asc", "near.asc", "periodic", "token"}
    assert {path.name for path in found} == {"auth.json", "kube", *named}
    assert all(path.is_absolute() for path in found)
    given = find_credentials([stream], environment=environment, kept=("KUBECONFIG", "OTHER"))
    assert {path.name for path in given} == {"auth.json", *named}
    empty = msgspec.structs.replace(stream, verifications=(), schedules=(), publications=())
    assert find_credentials([empty], environment={}, kept=("X",)) == ()
