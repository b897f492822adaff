# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog branch``: who has a branch, and letting the stream follow it."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from okd_payload.build.sync.asking import BranchQuestions
from okd_payload.build.sync.branch_names import FALLBACKS
from okd_payload.build.sync.branching import BranchChoice, Outcome
from okd_payload.build.sync.file_changes import write_changes
from okd_payload.build.sync.survey import (
    BranchSurvey,
    change_branch,
    compare_with_lock,
    survey,
    survey_next,
)
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog, load_definitions
from okd_payload.cli.catalog.stream_file import find_stream_file
from okd_payload.cli.issues import count_of
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import output_option, print_document, print_table
from okd_payload.cli.progress import show_progress
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError, PartlyDone, SourceError
from okd_payload.source.branches import GitBranches
from okd_payload.source.git import ANSWER_SECONDS, Git
from okd_payload.source.history import GitHistory
from okd_payload.source.lock import Lock, read_lock
from okd_payload.source.references import check_ref

_WORDS = {
    Outcome.FOUND: "have it",
    Outcome.FALLBACK: "fall back",
    Outcome.BEHIND: "stay behind",
    Outcome.KEPT: "kept",
    Outcome.MISSING: "missing",
    Outcome.UNANSWERED: "unanswered",
}


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the repositories."""

    branch: str
    """Empty for the next one."""
    fallbacks: tuple[str, ...]
    patience: float
    lock: Lock | None


_branch_options = option_group(
    click.argument("branch", required=False, default=""),
    click.argument("stream", required=False, type=click.Path(path_type=Path)),
    click.option("--next", "is_next", is_flag=True, help="The branch after that of the stream."),
    click.option(
        "--fallback",
        "fallbacks",
        multiple=True,
        metavar="PATTERN",
        help="What to look for where there is no BRANCH, first to last, with {version} in it.",
    ),
    click.option("--write", is_flag=True, help="Write branch and exceptions into the stream file."),
    click.option(
        "--patience",
        type=click.FloatRange(min=0, min_open=True),
        default=ANSWER_SECONDS,
        metavar="SECONDS",
        help="How long a repository may take to answer.",
    ),
    click.option(
        "--lock",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Tell which branches were rewritten since this lock file was made.",
    ),
    output_option("json", "yaml"),
)


@click.command()
@_branch_options
@click.pass_obj
def branch(
    settings: Settings,
    /,
    branch: str,
    stream: Path | None,
    *,
    is_next: bool,
    fallbacks: tuple[str, ...],
    write: bool,
    patience: float,
    lock: Path | None,
    output: str | None,
) -> int | None:
    """Show which repositories of STREAM have BRANCH, and what the others have instead.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder. With
    --next BRANCH is left away.
    """
    if is_next:
        if stream is not None:
            raise InputError("--next finds the branch itself", hint="leave BRANCH away")
        branch, stream = "", Path(branch) if branch else None
    elif not branch:
        raise InputError("no branch was named", hint="name one, or let --next find it")
    if branch:
        check_ref(branch)
    path = find_stream_file(stream)
    catalog = load_catalog(path)
    wish = _Wish(
        branch=branch,
        fallbacks=fallbacks or FALLBACKS,
        patience=patience,
        lock=read_lock(lock) if lock else None,
    )
    found = run_async(_survey(settings, catalog, wish))
    if output:
        print_document(found, output)
    else:
        _print_text(found)
    if write:
        change = change_branch(Path(catalog.path), catalog.stream.git, found)
        write_changes([change])
        state = "written" if change.before != change.after else "as it was"
        click.echo(f"{catalog.path}: {state}", err=True)
    return _exit_code(found)


async def _survey(settings: Settings, catalog: Catalog, wish: _Wish) -> BranchSurvey:
    definitions = load_definitions(Path(catalog.path)).definitions
    with show_progress(settings) as progress:
        async with open_services(settings, progress) as services:
            git = Git(services.clock, patience=wish.patience, progress=services.tell)
            questions = BranchQuestions(
                GitBranches(git),
                memory=services.locations.branches(catalog.stream.name),
                clock=services.clock,
                progress=services.tell,
            )
            if wish.branch:
                found = await survey(
                    catalog,
                    definitions,
                    questions,
                    branch=wish.branch,
                    fallbacks=wish.fallbacks,
                )
            else:
                found = await survey_next(catalog, definitions, questions, fallbacks=wish.fallbacks)
            if wish.lock is None:
                return found
            history = GitHistory(
                services.locations.git, clock=services.clock, progress=services.tell
            )
            return await compare_with_lock(found, catalog, lock=wish.lock, history=history)


def _print_text(found: BranchSurvey) -> None:
    if found.after:
        click.echo(f"{found.branch} comes after {found.after}: {found.evidence}")
    counts = found.counts
    told = [f"{counts[each]} {word}" for each, word in _WORDS.items() if counts[each]]
    number = count_of(len(found.components), "component")
    click.echo(f"{found.branch}: {number}, {', '.join(told) or 'none from git'}")
    others = [
        each for each in found.components if each.outcome is not Outcome.FOUND or each.rewritten
    ]
    if others:
        click.echo()
        print_table(("component", "ref", "what", "why", "repository"), map(_row_of, others))


def _row_of(choice: BranchChoice) -> tuple[str, ...]:
    ref = choice.ref or "-"
    why = "; ".join(filter(None, (choice.reason, choice.rewritten)))
    return choice.component, ref, choice.outcome.value, why, choice.repository


def _exit_code(found: BranchSurvey) -> int | None:
    """What the run ends with. Raises PartlyDone and SourceError, which say what is left."""
    counts = found.counts
    if counts[Outcome.UNANSWERED]:
        silent = [each for each in found.components if each.outcome is Outcome.UNANSWERED]
        hints = dict.fromkeys(each.hint for each in silent if each.hint)
        raise PartlyDone(
            f"{count_of(len(silent), 'component')} of unanswered repositories: "
            + ", ".join(each.component for each in silent),
            hint="\n".join([*hints, "run the same command again: only these are asked"]),
        )
    missing = [each for each in found.components if each.outcome is Outcome.MISSING]
    if missing:
        raise SourceError(
            f"{count_of(len(missing), 'component')} without any branch to build from: "
            + ", ".join(each.component for each in missing),
            hint=missing[0].hint,
        )
    return None
