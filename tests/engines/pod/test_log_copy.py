# SPDX-License-Identifier: Apache-2.0
"""Copies of logs: every line once, in the order of the containers, and what lacks is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from okd_payload.engines.pod.log_copy import LogCopy
from okd_payload.errors import ClusterError, NoSuchObject


class Logs:
    """A cluster that has nothing but logs; a text that is an error breaks its log off."""

    def __init__(self, **texts: list[bytes | ClusterError]) -> None:
        self.texts = texts
        self.opened: list[str] = []

    async def follow_log(self, _: str, container: str, *, namespace: str) -> AsyncIterator[bytes]:
        """The log of ``container``."""
        self.opened.append(container)
        for piece in self.texts[container]:
            await asyncio.sleep(0)
            if isinstance(piece, ClusterError):
                raise piece
            yield piece


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the log goes."""
    return tmp_path / "logs" / "etcd"


async def finish(copy: LogCopy) -> bool:
    """Whether all of it came."""
    complete = await copy.wait_for_end(5)
    await copy.close()
    return complete


async def test_containers_that_run_in_turn_stand_in_turn(file):
    """The second log is opened when the first has ended; asked twice, nothing comes twice."""
    logs = Logs(clone=[b"cloning\n", b"cloned\n"], build=[b"built\n"])
    copy = LogCopy(logs, file=file)
    copy.begin_in_turn("pod", ["clone", "build"])
    copy.begin_in_turn("pod", ["clone", "build"])
    assert await finish(copy)
    assert (file.read_text(), logs.opened) == ("cloning\ncloned\nbuilt\n", ["clone", "build"])


async def test_what_is_lost_is_said_and_tried_again(file):
    """A pod that is gone is told once, however often it is looked for."""
    logs = Logs(build=[b"begun\n", NoSuchObject("no pod")])
    copy = LogCopy(logs, file=file)
    for _ in range(3):
        copy.begin("pod", "build")
        assert not await copy.wait_for_end(5)
    await copy.close()
    assert logs.opened == ["build"] * 3
    assert file.read_text().count("# the pod pod is gone") == 1


async def test_another_error_names_itself(file):
    """The rest of the log is lost, and the file says why."""
    copy = LogCopy(Logs(build=[b"begun\n", ClusterError("no answer")]), file=file)
    copy.begin("pod", "build")
    assert not await finish(copy)
    assert file.read_text() == "begun\n# the rest of this log is lost: no answer\n"
    assert copy.tail() == "begun"


async def test_a_container_that_started_again_is_copied_again(file):
    """A pod made anew under its name is told by when its container started."""
    logs = Logs(build=[b"line\n"])
    copy = LogCopy(logs, file=file)
    for started_at in ("1", "1", "", "2"):
        copy.begin("pod", "build", started_at=started_at)
        assert await copy.wait_for_end(5)
    await copy.close()
    assert logs.opened == ["build"] * 2
