# SPDX-License-Identifier: Apache-2.0
"""The command ``okd-payload``: finds the command that is meant, runs it, says how it ended.

Commands are imported when they are called for and not before, so that starting costs nothing.
A command returns its exit code, or None for success; what stops it is an error of the tree in
``errors``, which becomes its exit code and two lines on standard error. This is one of the two
places that catch everything: what nobody foresaw is written down for a report.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence

import click

from okd_payload import __version__
from okd_payload.cli.lazy_group import LazyGroup
from okd_payload.cli.settings import Settings, global_options
from okd_payload.cli.standard_streams import lost_output, open_closed_streams, silence_output
from okd_payload.errors import Interrupted, OkdPayloadError

_NAME = "okd-payload"
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""By default it is 700, and a tenth of starting and of ending goes into looking for garbage where
there is none."""

COMMANDS = {
    "plan": "okd_payload.cli.plan:plan",
    "build": "okd_payload.cli.build:build",
    "logs": "okd_payload.cli.logs:logs",
    "lock": "okd_payload.cli.lock:lock",
    "catalog": "okd_payload.cli.catalog:catalog",
    "release": "okd_payload.cli.release:release",
    "publish": "okd_payload.cli.publish:publish",
    "deploy": "okd_payload.cli.deploy:deploy",
    "copy": "okd_payload.cli.copy:copy",
    "prune": "okd_payload.cli.prune:prune",
    "render": "okd_payload.cli.render:render",
    "runs": "okd_payload.cli.runs:runs",
    "step": "okd_payload.cli.step:step",
    "serve": "okd_payload.cli.serve:serve",
    "controller": "okd_payload.cli.controller:controller",
    "doctor": "okd_payload.cli.doctor:doctor",
}
"""Where each command is, in the order of a day's work."""

_SUMMARIES = {
    "plan": "Show what building a stream would do, and why.",
    "build": "Build a stream from source and make a release of it.",
    "logs": "Print the log of the newest build of a component.",
    "lock": "Write down what every branch and tag means now.",
    "catalog": "Read, check and keep in step what a stream is made of.",
    "release": "Make, show and check releases.",
    "publish": "Copy a release and its images to where clusters pull from.",
    "deploy": "Bring a cluster to where it builds a stream, and keep it there.",
    "copy": "Copy an image, byte for byte, between any two places.",
    "prune": "Free the disk of what nobody needs any more.",
    "render": "Write a stream as files for clusters, forges and hubs.",
    "runs": "Look after builds that run on a cluster.",
    "step": "Do one part of a build, as the pods of a cluster do.",
    "serve": "Follow release streams, and show them to everybody.",
    "controller": "Ask a controller, and tell it what to do.",
    "doctor": "Show what this machine lacks, and how to mend it.",
}
"""What the list of commands says of each, so that none has to be imported for it."""


def make_program(commands: Mapping[str, str] = COMMANDS) -> click.Group:
    """The whole command line; ``commands`` says in which module each command is."""
    with_version = click.version_option(
        __version__, prog_name=_NAME, message="%(prog)s %(version)s"
    )
    group = LazyGroup(
        _NAME,
        modules=commands,
        summaries=_SUMMARIES,
        params=global_options(),
        help="Build, check, sign, publish and follow OKD release payloads, anywhere.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    return with_version(group)


def main(arguments: Sequence[str] | None = None, *, commands: Mapping[str, str] = COMMANDS) -> int:
    """Run the command line ``arguments`` (those of the process by default); the exit code."""
    if arguments is None:
        open_closed_streams()
    settings = Settings()
    collections = contextlib.nullcontext() if arguments is not None else _rare_collections()
    try:
        with _interruptible(), collections:
            code = make_program(commands).main(
                arguments,
                prog_name=_NAME,
                standalone_mode=False,
                obj=settings,
                color=settings.colored,
            )
            sys.stdout.flush()
    except BrokenPipeError:
        silence_output()
        return 1
    except (click.Abort, KeyboardInterrupt):
        interrupted = Interrupted("interrupted", hint="run the same command again to go on")
        return _tell(interrupted, settings)
    except Exception as error:  # noqa: BLE001 - the command line's top-level loop
        return max(_explain(cause, settings) for cause in _causes(error))
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """The rest of this process with few searches for garbage, and none while it ends."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        yield
    finally:
        gc.freeze()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """While it lasts, SIGINT and SIGTERM are interrupts, so that clean-up happens."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    try:
        for number in heard:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def _causes(error: Exception) -> Iterator[Exception]:
    """The errors inside ``error``, which is a group of them where tasks ran side by side."""
    if isinstance(error, ExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    else:
        yield error


def _explain(error: Exception, settings: Settings) -> int:
    if isinstance(error, OkdPayloadError):
        return _tell(error, settings)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.ctx.get_help(), err=True, color=settings.colored)
        return error.exit_code
    if isinstance(error, click.ClickException):
        command = (
            error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        )
        hint = f"`{command or _NAME} --help` shows what it takes"
        _print_error(error.format_message(), hint, settings)
        return error.exit_code
    lost = lost_output() if isinstance(error, OSError) else None
    if lost:
        silence_output()
        return _tell(lost, settings)
    from okd_payload.cli.crash import record_crash

    hint = f"this is a fault of {_NAME}; please report it with {record_crash(error, settings)}"
    _print_error(f"unexpected {type(error).__name__}: {error}", hint, settings)
    return 1


def _tell(error: OkdPayloadError, settings: Settings) -> int:
    _print_error(error.message, error.hint, settings)
    return error.exit_code


def _print_error(message: str, hint: str, settings: Settings) -> None:
    from okd_payload.cli.output import print_error

    print_error(message, hint, colored=settings.colored)
