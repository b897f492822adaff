# SPDX-License-Identifier: Apache-2.0
"""``okd-payload logs``: what the newest build of a component printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.build.records import start_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The runs of the stream ``small``, in which ``etcd`` was built twice."""
    runs = tmp_path / "state" / "streams" / "small" / "runs"
    for moment, text in ((1.0, b"first\n"), (2.0, b"\x1b[31mnewest\x1b[0m\n")):
        start_run(runs, stream="small", moment=moment).log_of("etcd").write_bytes(text)
    return runs


def test_the_newest_log_is_printed_as_it_is(run_cli, runs: Path):
    """Not a byte is changed on the way to a file or a pipe."""
    assert run_cli("logs", "etcd") == (0, "\x1b[31mnewest\x1b[0m\n", "")


def test_the_path_can_be_had_instead(run_cli, runs: Path):
    """For an editor, say."""
    code, out, _ = run_cli("logs", "etcd", "--path")
    assert code == 0
    assert Path(out.strip()).read_bytes() == b"\x1b[31mnewest\x1b[0m\n"


def test_a_terminal_is_not_steered_by_logs(run_cli, runs: Path, monkeypatch):
    """What a build prints must not move a cursor or hide a line."""
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run_cli("logs", "etcd").out == "\\x1b[31mnewest\\x1b[0m\n"


def test_an_unknown_component_gets_the_nearest_names(run_cli, runs: Path):
    """Also when several streams have logs."""
    other = runs.parents[1] / "other" / "runs"
    start_run(other, stream="other", moment=1.0).log_of("base").write_text("")
    code, out, err = run_cli("logs", "etdc")
    assert (code, out) == (2, "")
    assert "hint: did you mean etcd?" in err


def test_a_component_of_two_streams_needs_a_choice(run_cli, runs: Path):
    """Both are named, and the option that chooses."""
    other = runs.parents[1] / "other" / "runs"
    start_run(other, stream="other", moment=1.0).log_of("etcd").write_text("other\n")
    code, _, err = run_cli("logs", "etcd")
    assert code == 2
    assert "etcd was built for other and small" in err
    assert "--stream" in err
    assert run_cli("logs", "etcd", "--stream", "other").out == "other\n"


def test_an_unknown_stream(run_cli, runs: Path):
    """The streams that are there are offered."""
    code, _, err = run_cli("logs", "etcd", "--stream", "smal")
    assert code == 2
    assert "did you mean small?" in err


def test_before_the_first_build(run_cli):
    """There is nothing to show, and a command that makes something."""
    code, _, err = run_cli("logs", "etcd")
    assert code == 2
    assert "nothing was built here yet" in err
    assert "okd-payload build STREAM" in err
