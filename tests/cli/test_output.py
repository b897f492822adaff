# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import click
import msgspec
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.cli.output import escape_controls, output_option, print_document, print_table


class Thing(msgspec.Struct):
    name: str
    sizes: tuple[int, ...] = ()


def test_documents_are_what_programs_expect(capsys):
    """A struct comes out as JSON or YAML that any parser reads back."""
    thing = Thing("émigré: yes", (1, 2))
    print_document(thing, "json")
    assert json.loads(capsys.readouterr().out) == {"name": "émigré: yes", "sizes": [1, 2]}
    print_document([thing], "yaml")
    assert yaml.safe_load(capsys.readouterr().out) == [{"name": "émigré: yes", "sizes": [1, 2]}]


def test_tables_are_aligned(capsys):
    """Columns line up below their names, and no line ends in spaces."""
    print_table(("name", "state"), [("etcd", "built"), ("a-longer-name", "")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["NAME            STATE", "etcd            built", "a-longer-name"]


def test_tables_cannot_steer_the_terminal(capsys):
    """Cells of others are escaped before they are measured."""
    print_table(("name",), [("\x1b]0;title\x07",)])
    assert capsys.readouterr().out == "NAME\n\\x1b]0;title\\x07\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ümläut, 日本", "plain, ümläut, 日本"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\nc", "a\\rb\\nc"),
        ("\x9b31m", "\\x9b31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\udcff", "\\udcff"),
    ],
)
def test_controls_become_visible(text, shown):
    """What could steer a terminal is shown as an escape, everything else as it is."""
    assert escape_controls(text) == shown


def test_lines_may_stay():
    """Text of several lines keeps its line ends and tabs, and nothing else."""
    assert escape_controls("a\n\tb\r", keep_lines=True) == "a\n\tb\\r"


@given(st.text(st.characters()))
def test_escaped_text_can_be_printed(text):
    """Whatever comes in, UTF-8 without control characters comes out."""
    shown = escape_controls(text)
    shown.encode()
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)


def test_output_option_offers_its_formats():
    """``-o`` takes the formats of the command and no other."""

    @click.command()
    @output_option("json", "dot")
    def show(output: str | None) -> None:
        click.echo(str(output))

    runner = CliRunner()
    assert runner.invoke(show, []).output == "None\n"
    assert runner.invoke(show, ["-o", "dot"]).output == "dot\n"
    assert runner.invoke(show, ["-o", "yaml"]).exit_code == 2
