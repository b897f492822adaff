# SPDX-License-Identifier: Apache-2.0
"""Every command that a page tells people to type exists, with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
import pytest

from okd_payload.cli.main import make_program
from okd_payload.cli.settings import global_options
from okd_payload.controller.model import Release
from okd_payload.web.pages.instructions import tell_release

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs").rglob("*.md"))
TEMPLATES = Path(str(files("okd_payload.web.pages"))) / "templates"
_SHOWN = re.compile(r"okd-payload(?: [a-zA-Z-]+)+")
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


def typed(page: Path) -> Iterator[list[str]]:
    """The words of each command of ours on ``page``, continued lines put together."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ").strip()
            if line.startswith("$ okd-payload ") and "[" not in line:  # which shows a usage
                yield shlex.split(command.partition(" | ")[0].partition(" > ")[0], comments=True)


def shown() -> Iterator[list[str]]:
    """The words of each command of ours on the pages that the controller serves."""
    release = Release(
        name="4.20.0-1",
        stream="4.20",
        created=0,
        changed=0,
        input_hash="",
        pull_spec="quay.test/okd/release:4.20.0-1",
    )
    for instruction in tell_release(release):
        yield from map(shlex.split, instruction.commands)
    for template in sorted(TEMPLATES.iterdir()):
        yield from map(str.split, _SHOWN.findall(template.read_text(encoding="utf-8")))


COMMANDS = [
    pytest.param(words, id=f"{page.stem}: {' '.join(words[1:4])}")
    for page in PAGES
    for words in typed(page)
]
COMMANDS += [
    pytest.param(words, id=f"served: {' '.join(words[1:4])}")
    for words in shown()
    if words[0] == "okd-payload"
]


def test_the_pages_have_commands():
    """The pattern finds them."""
    assert len(COMMANDS) > 50


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_of_a_page_exists(words):
    """The group, the command, and each option that begins with two dashes."""
    command: click.Command = make_program()
    left = words[1:]
    known = {name for option in global_options() for name in option.opts}
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        found = command.get_command(click.Context(command), left.pop(0))
        assert found is not None, f"no command {' '.join(words)}"
        command = found
    known |= {name for item in command.params for name in (*item.opts, *item.secondary_opts)}
    given = {word.partition("=")[0] for word in left if word.startswith("--")}
    assert given - known <= {"--help", "--version"}
