# SPDX-License-Identifier: Apache-2.0
"""Running programs: what comes back, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from okd_payload import process, supervisor
from okd_payload.errors import MissingTool, StorageError

# Starts a child in its group, and a daemon in a session of its own as `setsid` does; each
# writes its process id to a file of the folder it runs in.
FAMILY = """
import os, sys, time
def child(name, detached):
    if os.fork() == 0:
        if detached and (os.setsid() or True) and os.fork() > 0:
            os._exit(0)
        with open(name + ".part", "w") as file:
            file.write(str(os.getpid()))
        os.rename(name + ".part", name)
        time.sleep(100)
        os._exit(0)
child("child", detached=False)
child("daemon", detached=True)
while not (os.path.exists("child") and os.path.exists("daemon")):
    time.sleep(0.005)
"""
WAIT = "open('ready', 'w').close(); time.sleep(100)"


def python(text: str) -> list[str]:
    """The command that runs ``text``."""
    return [sys.executable, "-S", "-c", text]


def runs(process_id: int) -> bool:
    """Whether a process exists that has not ended; one that nobody reaped yet has."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def recorded(folder: Path) -> list[int]:
    """The processes that FAMILY started."""
    return [int((folder / name).read_text()) for name in ("child", "daemon")]


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as ``condition`` holds; fail after half of what all programs here sleep."""
    end = time.monotonic() + 50
    while not condition():
        assert time.monotonic() < end, "waited fifty seconds in vain"
        time.sleep(0.005)


async def ready(folder: Path) -> None:
    """Return when the program in ``folder`` says that it runs."""
    await asyncio.to_thread(wait_until, (folder / "ready").exists)


async def test_outputs_and_exit_code_come_back_apart() -> None:
    """Standard output, standard error and the exit code are told apart."""
    outcome = await process.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (outcome.code, outcome.output, outcome.errors) == (3, b"out\n", "err\n")
    assert not outcome.truncated


async def test_a_signal_shows_in_the_exit_code() -> None:
    """A program ended by a signal has 128 plus the signal's number, as in shells."""
    outcome = await process.run(["sh", "-c", "kill -SEGV $$"])
    assert outcome.code == 128 + signal.SIGSEGV


async def test_a_program_reads_what_it_is_given() -> None:
    """Standard input is passed whole, also when it is larger than a pipe."""
    content = bytes(range(256)) * 4096
    assert (await process.run(["cat"], stdin=content)).output == content


async def test_a_program_need_not_read(caplog: pytest.LogCaptureFixture) -> None:
    """A program that ends before it has read its input is no error, and none is logged."""
    assert (await process.run(["true"], stdin=b"x" * 1_000_000)).code == 0
    gc.collect()
    assert caplog.text == ""


async def test_without_input_there_is_none() -> None:
    """A program that reads finds an empty input rather than our terminal."""
    assert (await process.run(["cat"])).output == b""


async def test_environment_is_added_and_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are added to ours, and None takes one of ours out."""
    monkeypatch.setenv("OURS", "1")
    monkeypatch.setenv("UNWANTED", "1")
    outcome = await process.run(["env"], environment={"THEIRS": "2", "UNWANTED": None})
    lines = outcome.output.splitlines()
    assert b"OURS=1" in lines
    assert b"THEIRS=2" in lines
    assert not any(line.startswith(b"UNWANTED") for line in lines)


async def test_directory(tmp_path: Path) -> None:
    """The program runs in the folder it is told, and may be named relative to it."""
    program = tmp_path / "here"
    program.write_text("#!/bin/sh\npwd\n")
    program.chmod(0o755)
    outcome = await process.run(["./here"], directory=tmp_path)
    assert outcome.output.decode().strip() == str(tmp_path)


async def test_missing_program_and_folder(tmp_path: Path) -> None:
    """A missing program and a missing folder are told apart, before anything starts."""
    with pytest.raises(MissingTool, match="no program surely-not-there") as missing:
        await process.run(["surely-not-there"])
    assert "doctor" in missing.value.hint
    with pytest.raises(StorageError, match=r"cannot start true: .*nowhere"):
        await process.run(["true"], directory=tmp_path / "nowhere")


async def test_unusable_program(tmp_path: Path) -> None:
    """A program that the system cannot execute ends as in shells, and says why."""
    program = tmp_path / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    outcome = await process.run([program])
    assert outcome.code == supervisor.CANNOT_START
    assert "cannot start" in outcome.errors


def test_find_program_names_the_purpose() -> None:
    """Looking for a missing program says what needs it."""
    assert process.find_program("sh", needed_for="tests").endswith("/sh")
    with pytest.raises(MissingTool, match="building images needs it"):
        process.find_program("surely-not-there", needed_for="building images")


async def test_log_takes_both_outputs(tmp_path: Path) -> None:
    """With a log, both outputs are appended to it in order and none is kept."""
    with (tmp_path / "log").open("ab") as log:
        log.write(b"before\n")
        log.flush()
        outcome = await process.run(["sh", "-c", "echo one; echo two >&2; echo three"], log=log)
    assert (tmp_path / "log").read_bytes() == b"before\none\ntwo\nthree\n"
    assert (outcome.output, outcome.errors) == (b"", "")


async def test_output_is_bounded() -> None:
    """Of endless output the beginning is kept, of endless errors the end."""
    more = process.KEPT_BYTES + 1
    script = f"echo begin; head -c {more} /dev/zero; head -c 300000 /dev/zero >&2; echo end >&2"
    outcome = await process.run(["sh", "-c", script])
    assert outcome.truncated
    assert len(outcome.output) == process.KEPT_BYTES
    assert outcome.output.startswith(b"begin\n")
    assert len(outcome.errors) == process.KEPT_ERROR_BYTES
    assert outcome.errors.endswith("end\n")


async def test_signals_are_those_of_a_fresh_process() -> None:
    """A program does not inherit that Python ignores SIGPIPE."""
    outcome = await process.run(["sh", "-c", "grep SigIgn /proc/self/status"])
    ignored = int(outcome.output.split()[1], 16)
    assert not ignored & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1))
    assert not ignored & (1 << (signal.SIGTERM - 1) | 1 << (signal.SIGINT - 1))


async def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    """Children and daemons of a program that ends well are ended, and its code stands."""
    outcome = await process.run(python(FAMILY + "sys.exit(7)"), directory=tmp_path)
    assert outcome.code == 7
    assert [pid for pid in recorded(tmp_path) if runs(pid)] == []


async def test_orphans_are_reaped_while_the_program_runs(tmp_path: Path) -> None:
    """A daemon that ends is gone for those who poll its process id, as below an init."""
    text = "sh -c 'sleep 0.01 & echo $! >pid'; while kill -0 $(cat pid) 2>/dev/null; do :; done"
    outcome = await process.run(["sh", "-c", text], directory=tmp_path, deadline=50)
    assert outcome.code == 0


async def test_cancelling_ends_everything(tmp_path: Path) -> None:
    """When the caller is cancelled, program, children and daemons have ended before it goes on."""
    task = asyncio.ensure_future(process.run(python(FAMILY + WAIT), directory=tmp_path))
    await ready(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [pid for pid in recorded(tmp_path) if runs(pid)] == []


async def test_cancelling_at_once(tmp_path: Path) -> None:
    """A caller that is cancelled before the program has started leaves nothing behind."""
    for steps in range(6):
        task = asyncio.ensure_future(process.run(["sleep", "100"]))
        for _ in range(steps):
            await asyncio.sleep(0)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 50


async def test_deadline_ends_everything(tmp_path: Path) -> None:
    """After the deadline TimeoutError is raised and nothing runs any more."""
    deadline = 0.5
    while not (tmp_path / "ready").exists():  # what came to nothing by then is given more time
        with pytest.raises(TimeoutError):
            await process.run(python(FAMILY + WAIT), directory=tmp_path, deadline=deadline)
        deadline *= 4
    assert [pid for pid in recorded(tmp_path) if runs(pid)] == []


async def test_a_program_may_clean_up(tmp_path: Path) -> None:
    """A program is asked to end before it is killed, so that it can remove its files."""
    script = "trap 'rm ready; exit' TERM; touch ready; while :; do sleep 0.01; done"
    task = asyncio.ensure_future(process.run(["sh", "-c", script], directory=tmp_path))
    await ready(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / "ready").exists()


def start_asker(folder: Path, text: str, **options: str) -> subprocess.Popen[bytes]:
    """Another Python that runs ``text`` through ``process.run`` in ``folder``."""
    arguments = "".join(f", {name}={value}" for name, value in options.items())
    asker = (
        "import asyncio, os, sys, fcntl\n"
        "from pathlib import Path\n"
        "from okd_payload import process\n"
        "lock = os.open('lock', os.O_CREAT | os.O_RDWR)\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        f"command = [sys.executable, '-S', '-c', {text!r}]\n"
        f"asyncio.run(process.run(command, directory=Path('.'){arguments}))\n"
    )
    return subprocess.Popen([sys.executable, "-c", asker], cwd=folder)


def test_killing_us_ends_everything(tmp_path: Path) -> None:
    """When we are killed with SIGKILL, the program, its children and its daemons end."""
    with start_asker(tmp_path, FAMILY + WAIT) as asker:
        wait_until((tmp_path / "ready").exists)
        asker.kill()
    wait_until(lambda: not any(runs(pid) for pid in recorded(tmp_path)))


def test_killing_us_while_a_program_starts(tmp_path: Path) -> None:
    """No moment of the start is too early: a program that came to run is ended as well."""
    text = "import os, time; open(str(os.getpid()), 'w').close(); time.sleep(100)"
    for moment in range(8):
        with start_asker(tmp_path, text) as asker:
            wait_until((tmp_path / "lock").exists)
            time.sleep(0.01 * moment)
            asker.kill()
        (tmp_path / "lock").unlink()
    time.sleep(0.1)  # the last supervisor may have been about to start its program
    started = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    wait_until(lambda: not any(runs(pid) for pid in started))


def test_a_held_lock_is_released_last(tmp_path: Path) -> None:
    """A lock given along stays taken until the last process below is gone, also without us."""
    text = FAMILY + "import signal; signal.signal(15, lambda *_: sys.exit(time.sleep(0.3)));" + WAIT
    with start_asker(tmp_path, text, held="[lock]") as asker:
        wait_until((tmp_path / "ready").exists)
        asker.kill()
    lock = os.open(tmp_path / "lock", os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [pid for pid in recorded(tmp_path) if runs(pid)] == []
    finally:
        os.close(lock)


def test_killing_the_supervisor_ends_the_program(tmp_path: Path) -> None:
    """When the supervisor itself is killed, the kernel ends the program."""
    text = "import os, time; open('ready', 'w').write(str(os.getpid())); time.sleep(100)"
    with start_asker(tmp_path, text):
        wait_until(lambda: (tmp_path / "ready").exists() and bool((tmp_path / "ready").read_text()))
        program = int((tmp_path / "ready").read_text())
        stat = Path(f"/proc/{program}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
        wait_until(lambda: not runs(program))


def test_a_program_that_will_not_end_is_killed(tmp_path: Path) -> None:
    """After the time of grace a program that ignores SIGTERM is killed."""
    patient = Path(supervisor.__file__).read_text()
    quick = tmp_path / "supervisor.py"
    quick.write_text(patient.replace(f"= {supervisor.GRACE_SECONDS}\n", "= 0.1\n"))
    lifeline, ours = os.pipe()
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAIT
    with subprocess.Popen(
        [sys.executable, "-I", quick, str(lifeline), *python(stubborn)],
        pass_fds=[lifeline],
        cwd=tmp_path,
    ) as running:
        wait_until((tmp_path / "ready").exists)
        os.close(ours)
        assert running.wait(timeout=50) == 128 + signal.SIGKILL
    os.close(lifeline)


async def test_standard_output_may_go_to_a_file_of_its_own(tmp_path):
    """With ``output`` and ``log``, content and messages of a program do not mix."""
    with (tmp_path / "out").open("wb") as output, (tmp_path / "log").open("wb") as log:
        outcome = await process.run(
            ["sh", "-c", "echo content; echo message >&2"], output=output, log=log
        )
    assert outcome.code == 0
    assert (tmp_path / "out").read_text() == "content\n"
    assert (tmp_path / "log").read_text() == "message\n"
