# SPDX-License-Identifier: Apache-2.0
"""What the quick commands about releases load before they do anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from okd_payload.release.new.publish import write_folder

_HEAVY = {"aiohttp", "cryptography", "jinja2", "lightkube", "pysequoia", "rich", "yaml"}


@pytest.fixture
async def folder(tmp_path, world, manifest):
    """A release in a folder, as ``--to-dir`` writes it."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    write_folder(await world.payload(), tmp_path / "release")
    return tmp_path / "release"


def test_info_loads_only_what_it_needs(folder, tmp_path) -> None:
    """For a release that is here, ``info`` loads no HTTP client and no YAML parser."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "okd_payload", "release", "info", str(folder)],
        env={**os.environ, "OKD_PAYLOAD_STATE": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "okd_payload.release.load" in loaded
    assert loaded & _HEAVY == set()
