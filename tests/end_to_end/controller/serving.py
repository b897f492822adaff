# SPDX-License-Identifier: Apache-2.0
"""Running ``okd-payload serve`` as users do, and looking at what it left in its records."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from real_program import Program

from okd_payload.oci.layout import LayoutRepository
from okd_payload.testing.small_stream import push_small_stream

Result = TypeVar("Result")

DEADLINE = 60.0
_PAUSE = 0.05
STREAM_FILE = """\
apiVersion: okd-payload.io/v1
kind: ReleaseStream
name: {name}
input: {{repository: "oci:{folder}/{name}/images", poll: {poll}}}
content: "oci:{folder}/{name}/content"
releases: "oci:{folder}/{name}/releases"
publishedAs: {{content: quay.test/{name}/content, releases: quay.test/{name}/release}}
maxUnready: 0
{more}
"""


class Answer:
    """What a server answered."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text


class Streams:
    """A folder with release streams over layouts, and pushing into them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "streams"
        self.files.mkdir(parents=True)

    def add(self, name: str, *, poll: str = "1s", more: str = "") -> None:
        """Configure the stream ``name``; ``more`` are further lines of its file."""
        text = STREAM_FILE.format(name=name, folder=self.folder, poll=poll, more=more)
        (self.files / f"{name}.yaml").write_text(text, encoding="utf-8")

    async def push(self, name: str, change: str) -> None:
        """Push the images of the stream, changed so that they make another payload."""
        repository = LayoutRepository(self.folder / name / "images")
        await push_small_stream(repository, change=change)
        repository.close()

    def layout(self, name: str, part: str) -> LayoutRepository:
        """One of the stream's layouts: images, content or releases."""
        return LayoutRepository(self.folder / name / part)


class Server:
    """One ``okd-payload serve``, a process of its own."""

    def __init__(self, program: Program, *arguments: str | Path, **environment: str) -> None:
        self.program = program
        self.log = program.home / f"serve-{time.monotonic_ns()}.log"
        with self.log.open("wb") as errors:
            self.process = subprocess.Popen(
                program.command("serve", "--port", "0", "--log-format", "json", *arguments),
                env=program.environment | environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        self.address = ""

    def wait_until_it_answers(self) -> Server:
        """Return when it has said its address, or fail with its log."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("serving at "), line + self.log.read_text()
        self.address = line.removeprefix("serving at ").strip()
        return self

    def get(self, path: str) -> Answer:
        """What it answers to a request; a refused connection has the status 0."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=DEADLINE) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())
        except OSError as error:
            return Answer(0, str(error))

    @property
    def acts(self) -> bool:
        """Whether its log says that it makes releases now."""
        lines = [line for line in self.log.read_text().splitlines() if " act" in line]
        return bool(lines) and " acts now" in lines[-1]

    def kill(self) -> None:
        """End it and all it started, without a word."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> int:
        """Tell it to end, once it can hear it; its exit code."""
        if not self.address:
            self.wait_until_it_answers()
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(DEADLINE)
        assert self.process.stdout
        self.process.stdout.close()
        return code


def wait_for(look: Callable[[], Result | None], *, what: str, seconds: float = DEADLINE) -> Result:
    """What ``look`` gives once it gives anything; fails after a while."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(_PAUSE)
    return found
