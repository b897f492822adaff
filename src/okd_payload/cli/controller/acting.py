# SPDX-License-Identifier: Apache-2.0
"""``okd-payload controller accept|reject|...``: what people tell a controller to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec

from okd_payload.cli.controller.asking import Request, ask, controller_options, take_choice
from okd_payload.cli.controller.reading import tell_standing
from okd_payload.cli.output import escape_controls, output_option, print_document
from okd_payload.cli.settings import Settings
from okd_payload.controller.configuration.durations import parse_duration

Options = dict[str, Any]
_reason = click.option(
    "--reason", default="", metavar="TEXT", help="Why, for those who read the page."
)


class Reason(msgspec.Struct, frozen=True):
    """Why."""

    reason: str


class Outcome(msgspec.Struct, frozen=True):
    """How a run went."""

    succeeded: bool
    reason: str


class Approval(msgspec.Struct, frozen=True):
    """For whom a release is taken for good."""

    team: str
    reason: str


class Publication(msgspec.Struct, frozen=True):
    """In which way, and why."""

    publication: str
    reason: str


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """For how long a release is used, and what for."""

    reason: str
    seconds: float | None = None


class Told(msgspec.Struct, frozen=True):
    """What a sentence about the answer needs."""

    phase: str = ""
    kept: bool = False
    withdrawn: str = ""
    health: str = ""
    state: str = ""
    team: str = ""
    reporter: str = ""
    until: str = ""
    ended: bool | str | None = None
    """Of a use whether it was taken back, of a run when it ended."""

    @property
    def sentence(self) -> str:
        """What became of the object that was asked about."""
        if self.reporter:
            return f"used by {self.reporter}" + (f" until {self.until}" if self.until else "")
        if isinstance(self.ended, bool):
            return "not used by you any more" if self.ended else "you had not said that you use it"
        if self.phase:
            return tell_standing(self.phase, kept=self.kept, withdrawn=self.withdrawn)
        return self.health or self.state or f"approved by {self.team}"


def _make(
    name: str, words: str, *, kind: str, path: str, body: Callable[[Options], msgspec.Struct]
) -> click.Command:
    """A command that posts ``body`` of its options to ``path``, about one object."""

    def run(settings: Settings, /, output: str | None, **options: Any) -> None:
        about = options.pop(kind)
        sent = body(options)
        request = Request(path=path.format(about), body=sent)
        content = ask(settings, take_choice(options), request, msgspec.Raw)
        if output:
            print_document(msgspec.json.decode(content), output)
            return
        told = msgspec.json.decode(content, type=Told)
        click.echo(escape_controls(f"{about}: {told.sentence}"))

    run.__doc__ = words
    made = click.pass_obj(run)
    for decorate in (output_option("json", "yaml"), controller_options, _reason):
        made = decorate(made)
    return click.command(name)(click.argument(kind)(made))


def _with(command: click.Command, *options: click.Option) -> click.Command:
    command.params[1:1] = options
    return command


def _say_why(options: Options) -> Reason:
    return Reason(options.pop("reason"))


def _on_release(name: str, words: str) -> click.Command:
    return _make(name, words, kind="release", path=f"/releases/{{}}/{name}", body=_say_why)


def _on_stream(name: str, words: str) -> click.Command:
    return _make(name, words, kind="stream", path=f"/streams/{{}}/{name}", body=_say_why)


def _use(options: Options) -> Use:
    written = options.pop("duration")
    try:
        seconds = parse_duration(written) if written else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    return Use(options.pop("reason"), seconds)


def _publication(options: Options) -> Publication:
    return Publication(options.pop("publication"), options.pop("reason"))


def _publication_option() -> click.Option:
    return click.Option(
        ["--as", "publication"],
        required=True,
        metavar="NAME",
        help="Which of the publications of its stream.",
    )


accept = _on_release("accept", "Take RELEASE for good, whatever its runs say.")
reject = _on_release("reject", "Take RELEASE for bad, whatever its runs say. Needs --reason.")
retry = _on_release("retry", "Verify RELEASE anew, or make its payload anew where that had failed.")
keep = _on_release("keep", "Pin RELEASE: it is never removed.")
stop_keeping = _on_release("stop-keeping", "Let retention judge RELEASE again.")
withdraw = _on_release("withdraw", "Delete RELEASE softly: who has it can still pull it.")
restore = _on_release("restore", "Take back that RELEASE was withdrawn.")
pause = _on_stream("pause", "Begin no release of STREAM until told to go on. Needs --reason.")
resume = _on_stream("resume", "Let STREAM go on.")
rebuild = _on_stream("rebuild", "Make a release of STREAM although nothing changed.")
approve = _with(
    _make(
        "approve",
        "Say that a team takes RELEASE for good.",
        kind="release",
        path="/releases/{}/approve",
        body=lambda options: Approval(options.pop("team"), options.pop("reason")),
    ),
    click.Option(["--team"], required=True, metavar="NAME", help="For whom you say so."),
)
finish = _with(
    _make(
        "finish",
        "Say how the manual run RUN went.",
        kind="run",
        path="/runs/{}/finish",
        body=lambda options: Outcome(options.pop("succeeded"), options.pop("reason")),
    ),
    click.Option(["--succeeded/--failed"], required=True, default=None, help="How it went."),
)
use = _with(
    _make(
        "use",
        "Say that you use RELEASE: it is not removed while you do.",
        kind="release",
        path="/releases/{}/use",
        body=_use,
    ),
    click.Option(
        ["--for", "duration"],
        default="",
        metavar="DURATION",
        help="How long, as in 30d; without, until that is taken back.",
    ),
)
stop_using = _on_release("stop-using", "Take back that you use RELEASE.")
publish = _with(
    _make(
        "publish",
        "Publish RELEASE in one of the ways of its stream, as soon as its gates allow.",
        kind="release",
        path="/releases/{}/publish",
        body=_publication,
    ),
    _publication_option(),
)
roll_back = _with(
    _make(
        "roll-back",
        "Take back what a publication of STREAM published last.",
        kind="stream",
        path="/streams/{}/roll-back",
        body=_publication,
    ),
    _publication_option(),
)
