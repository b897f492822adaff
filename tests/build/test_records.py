# SPDX-License-Identifier: Apache-2.0
"""Run folders: records, logs, durations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from okd_payload.build.records import (
    KEPT_RUNS,
    Action,
    Begun,
    ComponentRecord,
    find_log,
    is_worked_on,
    read_begun,
    read_durations,
    read_plan,
    read_runs,
    start_run,
)
from okd_payload.errors import StorageError, UnknownName


def test_a_record_is_readable_while_the_run_goes_on(tmp_path: Path):
    """After each component the record on disk holds all components so far."""
    folder = start_run(tmp_path, stream="s", moment=0.0)
    folder.add(ComponentRecord(name="etcd", action=Action.BUILT, seconds=3.0))
    (record,) = read_runs(tmp_path)
    assert [item.name for item in record.components] == ["etcd"]
    assert record.finished is None
    folder.finish(9.0)
    assert read_runs(tmp_path)[0].finished == 9.0


def test_durations_come_from_the_newest_real_build(tmp_path: Path):
    """A reused component keeps the seconds of the run that built it."""
    for moment, action, seconds in [
        (1.0, Action.BUILT, 5.0),
        (2.0, Action.BUILT, 7.0),
        (3.0, Action.REUSED, 0.0),
    ]:
        folder = start_run(tmp_path, stream="s", moment=moment)
        folder.add(ComponentRecord(name="etcd", action=action, seconds=seconds))
    assert read_durations(read_runs(tmp_path)) == {"etcd": 7.0}


def test_only_the_newest_runs_are_kept(tmp_path: Path):
    """Old run folders go when a new run starts."""
    for moment in range(KEPT_RUNS + 5):
        start_run(tmp_path, stream="s", moment=float(moment))
    assert len(list(tmp_path.iterdir())) == KEPT_RUNS


def test_the_newest_log_of_a_component_is_found(tmp_path: Path):
    """A component that the last run reused still has the log of the run that built it."""
    older = start_run(tmp_path, stream="s", moment=1.0)
    older.log_of("etcd").write_text("built\n")
    start_run(tmp_path, stream="s", moment=2.0)
    assert find_log(tmp_path, "etcd").read_text() == "built\n"
    with pytest.raises(UnknownName) as caught:
        find_log(tmp_path, "etdc")
    assert caught.value.hint == "did you mean etcd?"


def test_damaged_records_do_not_stop_anything(tmp_path: Path):
    """A record cut short by a kill is passed over."""
    folder = start_run(tmp_path, stream="s", moment=1.0)
    (folder.path / "run.json").write_text('{"id":')
    assert read_runs(tmp_path) == []


def test_a_state_folder_that_cannot_be_used_is_an_error_with_a_way_out(tmp_path: Path):
    """A file where the folder should be gives a StorageError that names --state."""
    blocked = tmp_path / "runs"
    blocked.write_text("")
    with pytest.raises(StorageError) as caught:
        start_run(blocked, stream="s", moment=1.0)
    assert "--state" in caught.value.hint


def test_the_plan_of_a_run_is_remembered(tmp_path: Path) -> None:
    """Who looks at a run that goes on sees what is still to be made; without it, nothing."""
    folder = start_run(tmp_path, stream="okd", moment=0.0)
    assert read_plan(folder.path) == {}
    folder.remember_plan({"base": (), "etcd": ("base",)})
    assert read_plan(folder.path) == {"base": (), "etcd": ("base",)}
    (folder.path / "plan.json").write_text("{")
    assert read_plan(folder.path) == {}


def test_a_run_is_seen_before_anything_of_it_has_ended(tmp_path: Path) -> None:
    """With what it is at and since when."""
    folder = start_run(tmp_path, stream="okd", moment=5.0)
    assert read_runs(tmp_path) == []
    folder.remember_plan({"base": (), "etcd": ("base",)})
    folder.begin("base", 6.0, log=folder.log_of("base"))
    folder.begin("etcd", 7.0, log=folder.log_of("the-etcd"))
    (record,) = read_runs(tmp_path)
    assert (record.started, record.finished, record.components) == (5.0, None, ())
    assert read_begun(folder.path) == {
        "base": Begun(since=6.0, log="logs/base.log"),
        "etcd": Begun(since=7.0, log="logs/the-etcd.log"),
    }
    (folder.path / "begun.json").write_text("[")
    assert read_begun(folder.path) == {}


def test_a_run_whose_process_is_gone_is_told_from_one_that_goes_on(tmp_path: Path) -> None:
    """Also when it was killed: the kernel gives its lock back."""
    program = (
        "import sys, time; from pathlib import Path;"
        "from okd_payload.build.records import start_run;"
        "made = start_run(Path(sys.argv[1]), stream='s', moment=1.0);"
        "print(made.path, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        assert is_worked_on(path)
        process.kill()
    assert not is_worked_on(path)
    assert not is_worked_on(tmp_path / "nothing")
