# SPDX-License-Identifier: Apache-2.0
"""The documents say what the code does, their links lead somewhere, and they name no machine."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import okd_payload
from okd_payload.cli.main import make_program
from okd_payload.cli.settings import global_options
from okd_payload.issues import IssueCode

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)


def read(path: str) -> str:
    """The text of a document."""
    return (ROOT / path).read_text(encoding="utf-8")


def sections(text: str, level: int) -> dict[str, str]:
    """The sections below headings of ``level``, by their headings without backticks."""
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)[1:]
    return {heading.strip("`"): body for heading, body in zip(parts[::2], parts[1::2], strict=True)}


def options_told(described: dict[str, str], name: str) -> set[str]:
    """The options in the table of a section, and of the shared ones that it links to."""
    shared = [
        body
        for heading, body in described.items()
        if f"(#{heading.lower().replace(' ', '-')})" in described[name]
        and heading.startswith("Options for")
    ]
    text = "\n".join([described[name], *shared])
    return set(re.findall(r"^\| `(--[\w-]+)", text, re.MULTILINE))


def commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that can be run below ``group``, by its full name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        elif command and not command.hidden:
            yield f"{prefix} {name}", command


def issue_codes() -> Iterator[IssueCode]:
    """The codes that any room declares."""
    for module in pkgutil.walk_packages(okd_payload.__path__, "okd_payload."):
        if module.name.endswith(".codes"):
            values = vars(importlib.import_module(module.name)).values()
            yield from (value for value in values if isinstance(value, IssueCode))


def anchors(text: str) -> set[str]:
    """The names that links into ``text`` may have, by the rule of the usual renderers."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_command_is_described():
    """Each command has a section, and no section describes a command that is not there."""
    described = sections(read("docs/reference/command-line.md"), 2)
    existing = {name for name, _ in commands(make_program(), "okd-payload")}
    assert {name for name in described if name.startswith("okd-payload ")} == existing


def test_every_option_is_described():
    """Each option and argument is named in the section of its command, and none besides."""
    described = sections(read("docs/reference/command-line.md"), 2)
    shared = {name for option in global_options() for name in option.opts}
    for name, command in commands(make_program(), "okd-payload"):
        options = [item for item in command.params if isinstance(item, click.Option)]
        wanted = {max(item.opts, key=len) for item in options if not item.hidden} - shared
        known = {name for item in options for name in (*item.opts, *item.secondary_opts)}
        told = options_told(described, name)
        assert wanted - told == set(), f"{name}: not described"
        assert told - known == set(), f"{name}: described, but not there"
        arguments = [item for item in command.params if isinstance(item, click.Argument)]
        for argument in arguments:
            assert argument.make_metavar(click.Context(command)).strip("[].") in described[name]


def test_the_global_options_are_described():
    """What every command takes is described once."""
    described = sections(read("docs/reference/command-line.md"), 2)
    wanted = {max(option.opts, key=len) for option in global_options()} | {"--version", "--help"}
    assert options_told(described, "Global options") == wanted


def test_every_issue_code_is_described():
    """Each code that a check may report has a section that says what to do, and no code besides."""
    described = sections(read("docs/reference/issues.md"), 3)
    codes = {code.code: code for code in issue_codes()}
    assert set(described) == set(codes)
    for code, text in described.items():
        assert f"*{codes[code].severity.value}*" in text, code


def test_issue_codes_are_said_once():
    """No two rooms use the same code for different things."""
    codes = [code.code for code in issue_codes()]
    assert len(codes) == len(set(codes))


def test_every_environment_variable_is_described():
    """Each variable that the sources read is in the list."""
    described = read("docs/reference/environment.md")
    read_by_name = re.compile(r"""(?:environ(?:ment)?(?:\.get\(|\[|, )|envvar=)["']([A-Z_]+)["']""")
    ours = re.compile(r"\bOKD_PAYLOAD_[A-Z]+(?:_[A-Z]+)*\b")
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for name in {*read_by_name.findall(text), *ours.findall(text)} - {"PATH"}:
            assert f"`{name}`" in described, f"{path}: {name}"


def test_the_folders_are_where_the_documents_say(monkeypatch, tmp_path):
    """The variables for folders have the effect that is written about them."""
    for kind in ("CACHE", "STATE"):
        for name in (f"XDG_{kind}_HOME", f"OKD_PAYLOAD_{kind}"):
            assert f"| `{name}` |" in read("docs/reference/environment.md")
            monkeypatch.setenv(name, str(tmp_path / name))
    from okd_payload.locations import find_locations

    assert find_locations().cache == tmp_path / "OKD_PAYLOAD_CACHE"
    assert find_locations(state=tmp_path).state == tmp_path


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    """Each link to a file of this repository finds the file, and the heading in it."""
    prose = re.sub(
        r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        file, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), target


def test_the_glossary_is_in_order():
    """Whoever looks a word up finds it where the alphabet puts it."""
    words = list(sections(read("docs/glossary.md"), 3))
    assert words == sorted(words, key=str.lower)


def test_every_page_is_in_the_map():
    """Whoever starts at the list of pages finds each of them."""
    listed = read("docs/README.md")
    for path in (ROOT / "docs").rglob("*.md"):
        page = path.relative_to(ROOT / "docs").as_posix()
        if page != "README.md" and not re.match(r"decisions/0", page):
            assert f"({page})" in listed


def test_every_decision_is_listed():
    """Each record is in the list of records."""
    listed = read("docs/decisions/README.md")
    for path in (ROOT / "docs" / "decisions").glob("0*.md"):
        assert f"({path.name})" in listed


def test_no_file_knows_a_machine():
    """No file of the repository names folders of somebody's machine or a package server."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    machine = re.compile(
        rf"{re.escape(str(ROOT))}/|pypi\.org|files\.pythonhosted|registry\.npmjs"
        r"|(?:deb|security)\.debian\.org"
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path != Path(__file__):
            text = path.read_text(encoding="utf-8", errors="replace")
            found = machine.search(text)
            assert found is None, f"{name}: {found}"
