# SPDX-License-Identifier: Apache-2.0
"""``prune`` on a machine where nothing was built."""

from __future__ import annotations

import json
import os

import pytest

from okd_payload.cli.main import main

pytestmark = pytest.mark.integration


def test_what_killed_processes_left_in_the_cache_goes(tmp_path, capsys) -> None:
    """Half-written files of the cache are removed and counted; whole ones that fit stay."""
    folder = tmp_path / "cache" / "content" / "blobs"
    folder.mkdir(parents=True)
    for name in ("cd", ".cd.1-1"):
        (folder / name).write_bytes(b"1234")
        os.utime(folder / name, (0, 0))

    folders = ("--state", str(tmp_path / "state"), "--cache", str(tmp_path / "cache"))

    code = main([*folders, "prune", "-o", "json"])

    pruned = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (pruned["cache_removed"], pruned["cache_removed_bytes"]) == (1, 4)
    assert [path.name for path in folder.iterdir()] == ["cd"]
