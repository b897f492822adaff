# SPDX-License-Identifier: Apache-2.0
"""An old controller is taken over from the command line, after a look at what would come of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "end_to_end"))

from real_program import RegistryThread

from okd_payload.cli.main import main
from okd_payload.controller.records import open_database, releases

NAME = "4.20.0-0.test-2026-03-10-010203"
PREFIX = "release.openshift.io/"


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """Host and port of a registry that has nothing."""
    with RegistryThread() as thread:
        yield thread.server.host


@pytest.fixture
def objects(registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with an input and its releases, whose payload is nowhere."""
    monkeypatch.setenv("OKD_PAYLOAD_STATE", str(tmp_path / "state"))
    config = json.dumps({"name": "4.20.0-0.test", "to": "release"})
    annotations = {
        f"{PREFIX}name": "4.20.0-0.test",
        f"{PREFIX}source": "okd/scos-4.20",
        f"{PREFIX}creationTimestamp": "2026-03-10T01:02:03Z",
        f"{PREFIX}phase": "Accepted",
    }
    digest = "sha256:" + "1" * 64
    streams = [
        {
            "metadata": {
                "name": "scos-4.20",
                "namespace": "okd",
                "annotations": {f"{PREFIX}config": config},
            },
            "status": {"publicDockerImageRepository": "x.test/a", "tags": [{"tag": "cli"}]},
        },
        {
            "metadata": {"name": "release", "namespace": "okd"},
            "spec": {"tags": [{"name": NAME, "annotations": annotations, "generation": 2}]},
            "status": {
                "publicDockerImageRepository": f"{registry}/okd/release",
                "tags": [{"tag": NAME, "items": [{"image": digest, "generation": 2}]}],
            },
        },
    ]
    path = tmp_path / "streams.json"
    path.write_bytes(msgspec.json.encode({"items": streams}))
    return path


def count(url: str) -> int:
    """How many releases are on record."""

    async def read() -> int:
        database = open_database(url)
        found = await database.read(releases.list_of)
        await database.close()
        return len(found)

    return asyncio.run(read())


def test_a_dry_run_writes_nothing(
    objects: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what would be taken over."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    arguments = ["controller", "import", "--image-streams", str(objects), "--database", url]
    assert main([*arguments, "--dry-run"]) == 0
    assert "1 stream, 1 release (nothing was written)" in capsys.readouterr().out
    assert not (tmp_path / "records.db").exists()


def test_what_is_taken_over_is_counted(
    objects: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """New once, known after; with 3 as long as payloads cannot be read."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    arguments = ["controller", "import", "--image-streams", str(objects), "--database", url]
    assert main([*arguments, "--skip-payloads", "-o", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["streams"], report["newReleases"]) == (["4.20.0-0.test"], 1)
    assert count(url) == 1
    assert main([*arguments, "-o", "json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["releases"], report["newReleases"]) == (1, 0)
    assert [issue["code"] for issue in report["issues"]] == ["unread-payload"]


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is written."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    missing = str(tmp_path / "none.json")
    arguments = ["controller", "import", "--image-streams", missing, "--database", url]
    assert main(arguments) == 2
    assert missing in capsys.readouterr().err
