# SPDX-License-Identifier: Apache-2.0
"""``okd-payload lock``: what every name means now, in a file."""

from __future__ import annotations

from pathlib import Path

from small_stream import COMPONENTS, inline, write_stream

from okd_payload.source.lock import read_lock


def test_a_lock_is_written_beside_the_stream(run_cli, tmp_path: Path):
    """Its path is all that is printed; every source has a commit in it."""
    path = write_stream(tmp_path)
    assert run_cli("lock", path) == (0, f"{tmp_path}/stream.lock\n", "")
    lock = read_lock(tmp_path / "stream.lock")
    assert sorted(lock.sources) == ["cluster-version-operator", "etcd", "etcd-operator"]
    assert run_cli("plan", path, "--lock", tmp_path / "stream.lock").code == 0


def test_a_lock_can_go_elsewhere_and_keeps_what_it_knows(run_cli, tmp_path: Path):
    """With an earlier lock, nothing that it has is resolved again."""
    path = write_stream(tmp_path)
    first = tmp_path / "first.lock"
    run_cli("lock", path, "--to", first)
    assert run_cli("lock", path, "--lock", first, "--to", tmp_path / "second.lock").code == 0
    assert (tmp_path / "second.lock").read_text() == first.read_text()


def test_a_changed_folder_does_not_fit_its_lock(run_cli, tmp_path: Path):
    """What was locked cannot be read any more, and the message says what has changed."""
    path = write_stream(tmp_path)
    run_cli("lock", path)
    (tmp_path / "etcd" / "etcd.sh").write_text("changed")
    code, _, err = run_cli("plan", path, "--lock", tmp_path / "stream.lock")
    assert code == 1
    assert f"the content of {tmp_path}/etcd is" in err


def test_a_stream_with_mistakes_is_not_locked(run_cli, tmp_path: Path):
    """A lock is of everything or not at all."""
    path = write_stream(tmp_path, components={**COMPONENTS, "lost": inline("FROM nowhere")})
    code, out, err = run_cli("lock", path)
    assert (code, out) == (2, "")
    assert "error: 1 error before anything was locked" in err
    assert not (tmp_path / "stream.lock").exists()


def test_a_file_that_is_no_lock(run_cli, tmp_path: Path):
    """It is refused with the way out."""
    path = write_stream(tmp_path)
    code, _, err = run_cli("plan", path, "--lock", path)
    assert code == 2
    assert "stream.yaml" in err
