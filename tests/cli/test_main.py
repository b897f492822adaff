# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from okd_payload import __version__
from okd_payload.cli.main import COMMANDS
from okd_payload.errors import (
    DigestMismatch,
    InputError,
    NotFound,
    OkdPayloadError,
    PartlyDone,
)
from okd_payload.testing.yardstick import attempt_below, count_children


@pytest.fixture
def run_failing(run_cli):
    """Runs the command line with one more command, ``fail``, which raises what it is given."""

    def run(error: BaseException, *arguments: str):
        @click.command()
        def fail():
            raise error

        module = ModuleType("commands_of_this_test")
        module.fail = fail
        sys.modules[module.__name__] = module
        return run_cli(*(arguments or ["fail"]), commands={"fail": f"{module.__name__}:fail"})

    yield run
    sys.modules.pop("commands_of_this_test", None)


def test_version_is_printed(run_cli):
    """The version is one line on standard output."""
    assert run_cli("--version") == (0, f"okd-payload {__version__}\n", "")


def test_version_imports_nothing_heavy():
    """Asking for the version loads neither the event loop nor models nor drawing."""
    code = (
        "import sys; from okd_payload.cli.main import main; main(['--version']);"
        "print(*sorted({'asyncio', 'msgspec', 'rich', 'aiohttp', 'jinja2', 'yaml', 'logging'}"
        " & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.splitlines()[1:] == [""]


def test_version_costs_little():
    """Start-up takes less than 0.15 seconds of CPU time."""
    for cost in attempt_below(0.15, clock=count_children):
        with cost:
            command = [sys.executable, "-m", "okd_payload", "--version"]
            subprocess.run(command, check=True, capture_output=True)


def test_the_list_of_commands_is_complete(run_cli):
    """Every command has a line of its own that says all of what it is for."""
    _, out, _ = run_cli("--help")
    lines = out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


def test_without_arguments_the_help_is_shown(run_cli):
    """A bare call is an incomplete one: help on standard error, exit code 2."""
    code, out, err = run_cli()
    assert (code, out) == (2, "")
    assert "Usage: okd-payload" in err
    assert all(name in err for name in COMMANDS)


def test_help_of_every_command(run_cli):
    """Every registered command can be loaded and explains itself."""
    for name in COMMANDS:
        code, out, _ = run_cli(name, "--help")
        assert code == 0
        assert f"Usage: okd-payload {name}" in out
        assert "--state DIR" in out


def test_unknown_command_offers_the_nearest(run_cli):
    """A slip of the finger is answered with the name that was meant."""
    code, _, err = run_cli("docter")
    assert code == 2
    assert "No such command 'docter'" in err
    assert "doctor" in err
    assert "hint: `okd-payload --help`" in err


def test_wrong_option_names_the_command_to_ask(run_cli):
    """A usage error of a command points at the help of that command."""
    code, _, err = run_cli("doctor", "--colour=never")
    assert code == 2
    assert err.startswith("error: No such option")
    assert "hint: `okd-payload doctor --help`" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("wrong"), 2),
        (NotFound("gone"), 1),
        (PartlyDone("half"), 3),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.ClickException("odd"), 1),
    ],
)
def test_exit_codes(run_failing, error, code):
    """Each kind of ending has the exit code that the documentation promises."""
    ended = run_failing(error)
    assert ended.code == code
    assert ended.err.lstrip().startswith("error: ")
    assert ended.out == ""


def test_error_and_hint_are_two_lines(run_failing):
    """Message and advice are on lines of their own, control characters made harmless."""
    ended = run_failing(OkdPayloadError("no \x1b[31mroom", hint="make some"))
    assert ended.err == "error: no \\x1b[31mroom\nhint: make some\n"


def test_all_errors_of_a_group_are_told(run_failing):
    """What failed side by side is told together, with the exit code of the worst."""
    inner = ExceptionGroup("inner", [InputError("second")])
    ended = run_failing(ExceptionGroup("outer", [DigestMismatch("first"), inner]))
    assert ended.code == 2
    assert ended.err == "error: first\nerror: second\n"


def test_the_unforeseen_is_written_down(run_failing, tmp_path):
    """A bug gives one line, exit code 1, and a file with the traceback for the report."""
    code, _, err = run_failing(ZeroDivisionError("oops"))
    assert code == 1
    assert "error: unexpected ZeroDivisionError: oops" in err
    (record,) = (tmp_path / "state" / "crashes").iterdir()
    assert str(record) in err
    assert "Traceback" in record.read_text()
    assert "Traceback" not in err


def test_a_crash_without_a_folder_is_shown(run_failing, tmp_path):
    """Where the state folder cannot be written the traceback is printed instead."""
    (tmp_path / "state").write_text("a file is in the way")
    code, _, err = run_failing(ZeroDivisionError("oops"))
    assert code == 1
    assert "Traceback" in err


@pytest.mark.parametrize("arguments", [["--state", "S", "fail"], ["fail", "--state", "S"]])
def test_global_options_stand_anywhere(run_failing, tmp_path, monkeypatch, arguments):
    """``--state`` is understood before and behind the name of the command."""
    monkeypatch.chdir(tmp_path)
    run_failing(ZeroDivisionError("oops"), *arguments)
    assert (tmp_path / "S" / "crashes").is_dir()


def test_colors_follow_the_option(run_failing):
    """Colours come when they are asked for, although nothing here is a terminal."""
    error = InputError("wrong")
    assert "\x1b[" in run_failing(error, "--color", "always", "fail").err
    assert "\x1b[" not in run_failing(error).err


_LOUD = """
import sys, types, click
from okd_payload.cli.main import main

loud = types.ModuleType("loud")
loud.echo = click.Command("echo", callback=lambda: click.echo("x" * 100_000))
loud.write = click.Command("write", callback=lambda: sys.stdout.write("x") and None)
sys.modules["loud"] = loud
sys.stdin.read()
sys.exit(main(commands={"echo": "loud:echo", "write": "loud:write"}))
"""


@pytest.mark.parametrize("command", ["echo", "write"])
def test_a_reader_that_goes_away_is_no_error(command):
    """``okd-payload ... | head -0`` ends quietly, whatever is still to be written."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", _LOUD, command], stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_module_and_command_are_the_same(tmp_path: Path):
    """``python -m okd_payload`` behaves like the installed command."""
    command = [sys.executable, "-m", "okd_payload", "nonsense"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: No such command 'nonsense'")


@pytest.mark.parametrize(("flags", "levels"), [(["-v"], {"INFO"}), (["-vv"], {"INFO", "DEBUG"})])
def test_verbose_shows_the_log(flags, levels):
    """``-v`` logs what is done, ``-vv`` with details, on standard error."""
    code = (
        "import logging, types, sys, click; from okd_payload.cli.main import main;"
        "log = logging.getLogger('room');"
        "sys.modules['m'] = types.SimpleNamespace(work=click.Command('work', callback=lambda:"
        " (log.info('step'), log.debug('detail')) and None));"
        "sys.exit(main(commands={'work': 'm:work'}))"
    )
    command = [sys.executable, "-c", code, *flags, "work"]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert {line.split()[0] for line in ended.stderr.splitlines()} == levels


def test_no_color_is_respected(run_failing, monkeypatch):
    """NO_COLOR switches colours off, and ``--color always`` on again."""
    monkeypatch.setenv("NO_COLOR", "1")
    error = InputError("wrong")
    assert "\x1b[" not in run_failing(error).err
    assert "\x1b[" in run_failing(error, "fail", "--color=always").err
