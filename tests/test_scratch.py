# SPDX-License-Identifier: Apache-2.0
"""Temporary files of processes that end well, and of those that do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from okd_payload.errors import StorageError
from okd_payload.scratch import private_folder, remove_tree, scratch_folder

HANG = """
import sys, tempfile, time
from pathlib import Path
from okd_payload.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])), tempfile.TemporaryDirectory():
    print("ready", flush=True)
    time.sleep(60)
"""


DEEPER = """
import os
for _ in range(1500):
    os.symlink("../kept", "link")
    open("file", "w").close()
    os.mkdir("a")
    os.chdir("a")
"""


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()]


def test_temporary_files_go_there_and_vanish(tmp_path: Path):
    """While the context lasts tempfile works in the folder; afterwards nothing is left."""
    before = tempfile.gettempdir()
    with scratch_folder(tmp_path) as folder:
        handle, name = tempfile.mkstemp()
        os.close(handle)
        assert Path(name).parent == folder
    assert _folders(tmp_path) == []
    assert tempfile.gettempdir() == before


@pytest.mark.parametrize("outside", [None, "/somewhere"])
def test_programs_work_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside):
    """Programs that are run find the folder in TMPDIR, which is as it was afterwards."""
    monkeypatch.delenv("TMPDIR", raising=False)
    if outside:
        monkeypatch.setenv("TMPDIR", outside)
    with scratch_folder(tmp_path) as folder:
        made = subprocess.run(["mktemp"], capture_output=True, text=True, check=True).stdout
    assert Path(made).parent == folder
    assert os.environ.get("TMPDIR") == outside


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path):
    """A folder stays while its process lives, and goes once it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANG, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
        with scratch_folder(tmp_path):
            assert len(_folders(tmp_path)) == 2
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(_folders(tmp_path)) == 1
    with scratch_folder(tmp_path):
        assert len(_folders(tmp_path)) == 1
    assert _folders(tmp_path) == []


def test_a_parent_that_cannot_be_used_is_an_error(tmp_path: Path):
    """A file in the way gives a StorageError that names --state."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="temporary files") as caught,
        scratch_folder(tmp_path / "file"),
    ):
        pass
    assert "--state" in caught.value.hint


def test_a_private_folder_leaves_nothing(tmp_path: Path):
    """With the last folder goes what held them."""
    parent = tmp_path / "target" / ".staging"
    with private_folder(parent) as one:
        with private_folder(parent) as other:
            (other / "file").write_text("x")
        assert (one.is_dir(), other.exists()) == (True, False)
    assert list((tmp_path / "target").iterdir()) == []


def test_errors_inside_a_private_folder_are_those_of_whoever_uses_it(tmp_path: Path):
    """What goes wrong in there is not mistaken for trouble with the folder."""
    with pytest.raises(FileNotFoundError), private_folder(tmp_path / "staging") as folder:
        (folder / "nothing").read_text()
    assert list(tmp_path.iterdir()) == []


def test_many_make_and_remove_private_folders_at_once(tmp_path: Path):
    """Whoever comes while another one removes the parent makes it again."""
    parent = tmp_path / "staging"

    def work(_: int) -> bool:
        with private_folder(parent) as folder:
            (folder / "file").write_text("x")
            return (folder / "file").read_text() == "x"

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(200)))
    assert not parent.exists()


def test_what_is_deeper_than_any_path_is_removed(tmp_path: Path):
    """Programs make folders in folders; what a link leads to stays."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("mine")
    filled = tmp_path / "filled"
    filled.mkdir()
    subprocess.run([sys.executable, "-c", DEEPER], cwd=filled, check=True)
    remove_tree(filled)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept/file").read_text() == "mine"
    remove_tree(filled)  # which is not there


def test_a_file_is_no_place_for_a_private_folder(tmp_path: Path):
    """What is there under that name stays, and is an error."""
    (tmp_path / "staging").write_text("mine")
    with pytest.raises(NotADirectoryError), private_folder(tmp_path / "staging"):
        pass
    assert (tmp_path / "staging").read_text() == "mine"
