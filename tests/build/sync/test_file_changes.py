# SPDX-License-Identifier: Apache-2.0
"""Files before and after: the patch is what is written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from okd_payload.build.sync.file_changes import (
    FileChange,
    draw_patch,
    read_text,
    real_changes,
    write_changes,
)
from okd_payload.errors import StorageError


def test_a_patch_applied_by_git_is_what_is_written(tmp_path):
    """New, changed, removed, and without a line break at the end."""
    texts: dict[str, tuple[str | None, str | None]] = {
        "new/a.yaml": (None, "a: 1\n"),
        "b.yaml": ("a: 1\nb: 2\n", "a: 1\nb: 3\n"),
        "c.yaml": ("gone\n", None),
        "d.yaml": ("x", "y"),
    }
    roots = tmp_path / "written", tmp_path / "patched"
    for root in roots:
        root.mkdir()
        for name, (before, _) in texts.items():
            if before is not None:
                (root / name).write_text(before)
    changes = real_changes(
        FileChange(path=roots[0] / name, before=before, after=after)
        for name, (before, after) in texts.items()
    )
    patch = draw_patch(changes, folder=roots[0])
    write_changes(changes)
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "apply", "-"], input=patch, cwd=roots[1], text=True, check=True)
    written, patched = (
        {path.name: path.read_text() for path in root.rglob("*.yaml")} for root in roots
    )
    assert (
        written == patched == {name.split("/")[-1]: new for name, (_, new) in texts.items() if new}
    )


def test_what_stays_is_no_change(tmp_path):
    """Only real changes are told, in the order of their paths."""
    same = FileChange(path=tmp_path / "a", before="x", after="x")
    other = FileChange(path=tmp_path / "b", before="x", after=None)
    assert real_changes([other, same]) == [other]


def test_permissions_and_links_stay(tmp_path):
    """What a link leads to is changed, and the file keeps who may read it."""
    (tmp_path / "real").write_text("x")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to("real")
    write_changes([FileChange(path=tmp_path / "link", before="x", after="y\r\n")])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600
    assert read_text(tmp_path / "real") == "y\r\n"


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """The error names the file."""
    Path(tmp_path / "file").write_text("")
    change = FileChange(path=tmp_path / "file" / "a.yaml", before=None, after="x")
    with pytest.raises(StorageError, match=r"cannot write .*a\.yaml"):
        write_changes([change])
