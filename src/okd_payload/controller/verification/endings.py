# SPDX-License-Identifier: Apache-2.0
"""What the end of a program means: a verdict, and the words that say why.

The tests that failed are named where the program left JUnit results; else the last line of its
log is what people want to read first. Both are foreign text: cut, and without control characters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from okd_payload.controller.model import RunState
from okd_payload.controller.verification.junit import MAX_BYTES, TestCase, parse_junit
from okd_payload.controller.verification.run_files import LOG, RunOutcome, list_artifacts
from okd_payload.errors import ContentError

CANNOT_START = (126, 127)
"""Exit codes of a program that was never run: it says nothing of the release."""
_NOISE = re.compile(
    r"(?:subprocess exited with status|Error: exit status) [0-9]+|\[artifacts [^]]*\]"
)
"""What buildah and we say after a program that failed: its own last line says more."""
_NAMED = 5
_MAX_WORDS = 300
_MAX_ADDRESS = 2048
_TAIL_BYTES = 4096
_MOST_RESULTS = 64 * 1024 * 1024
"""Bytes of results that are read to name the tests that failed."""


def judge_exit(folder: Path, code: int) -> RunOutcome:
    """The outcome of a program that ended with ``code`` and left its files in ``folder``."""
    if code == 0:
        return RunOutcome(state=RunState.SUCCEEDED)
    failed = list(itertools.islice(_failed_cases(folder), _NAMED + 1))
    if failed:
        names = ", ".join(clean_words(case.name) for case in failed[:_NAMED])
        more = " and more" if len(failed) > _NAMED else ""
        message = f"failed: {names}{more}"
    else:
        message = f"exit code {code}" + (f": {last}" if (last := _last_line(folder)) else "")
    state = RunState.ERROR if code in CANNOT_START else RunState.FAILED
    return RunOutcome(state=state, message=message[: 2 * _MAX_WORDS])


def clean_words(text: str) -> str:
    """``text`` on one line, cut, with nothing in it that a terminal or page would act on."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(shown.split())
    return words if len(words) <= _MAX_WORDS else words[: _MAX_WORDS - 1] + "…"


def page_address(url: str) -> str:
    """``url``, which others name, where it leads to a page; empty where it does anything else."""
    return url if url.startswith(("http://", "https://")) and is_address(url) else ""


def is_address(url: str) -> bool:
    """Whether ``url``, which others name, can be kept and asked: all of it printable, and short."""
    return url.isprintable() and len(url) <= _MAX_ADDRESS


def _failed_cases(folder: Path) -> Iterator[TestCase]:
    room = _MOST_RESULTS
    for name in list_artifacts(folder):
        path = folder / name
        if path.suffix != ".xml":
            continue
        size = path.stat().st_size
        if size > min(room, MAX_BYTES):
            continue
        room -= size
        try:
            yield from parse_junit(path.read_bytes()).failures
        except ContentError:
            continue  # some other document, or one that is refused: the log says the rest


def _last_line(folder: Path) -> str:
    if not (folder / LOG).is_file():  # nothing, or what would be waited for
        return ""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    told = (clean_words(line) for line in reversed(lines))
    return next((words for words in told if words and not _NOISE.fullmatch(words)), "")
