# SPDX-License-Identifier: Apache-2.0
"""Running okd-payload as users do, in folders of its own, and a registry beside it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from okd_payload.testing.registry_server import RegistryServer, ServerOptions

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "quickstart"
_OTHER_PEOPLES = re.compile(r"OKD_PAYLOAD_|XDG_|REGISTRY_AUTH_FILE|DOCKER_|.*_proxy", re.IGNORECASE)


class Ended(NamedTuple):
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """Standard output as JSON, of a run that went well."""
        assert self.code == 0, self.err
        return msgspec.json.decode(self.out)


class Program:
    """okd-payload with a home, state, cache and temporary folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / "state"
        self.cache = home / "cache"
        self.temporary = home / "tmp"
        self.temporary.mkdir(parents=True, exist_ok=True)
        self.environment = {
            name: value for name, value in os.environ.items() if not _OTHER_PEOPLES.match(name)
        }
        self.environment |= {
            "HOME": str(home),
            "TMPDIR": str(self.temporary),
            "OKD_PAYLOAD_STATE": str(self.state),
            "OKD_PAYLOAD_CACHE": str(self.cache),
            "LC_ALL": "C.UTF-8",
        }

    def command(self, *arguments: str | Path) -> list[str]:
        """The command line of ``okd-payload ARGUMENTS``."""
        return [sys.executable, "-m", "okd_payload", *map(str, arguments)]

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """The program, running, in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def run(
        self,
        *arguments: str | Path,
        within: Sequence[str | Path] = (),
        directory: Path | None = None,
        **environment: str,
    ) -> Ended:
        """Run the program to its end, by the command ``within`` if there is one."""
        ended = subprocess.run(
            [*within, *self.command(*arguments)],
            env=self.environment | environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=directory,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def build(self, stream: Path, *options: str | Path, **environment: str) -> dict[str, Any]:
        """What ``build -o json`` prints, when it goes well."""
        return self.run("build", stream, *options, "-o", "json", **environment).document()

    def images(self, stream: str = "quickstart") -> Path:
        """The layout with the images of a stream."""
        return self.state / "streams" / stream / "images"

    def releases(self, stream: str = "quickstart") -> Path:
        """The layout with the releases of a stream."""
        return self.state / "streams" / stream / "releases"

    def processes(self) -> list[str]:
        """Command lines of all processes that have to do with our folders."""
        return [line for path in Path("/proc").glob("[0-9]*") if (line := self._line_of(path))]

    def _line_of(self, process: Path) -> str:
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            places = [(process / name).readlink() for name in ("cwd", "root")]
        except OSError:
            return ""
        ours = any(place.is_relative_to(self.home) for place in places)
        line = words.replace(b"\0", b" ").decode(errors="replace")
        return line if ours or str(self.home) in line else ""

    def mounts(self) -> list[str]:
        """What is mounted below our folders."""
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if f"{self.home}/" in line]

    def leftovers(self) -> list[str]:
        """What should not be there when nothing runs: mounts and temporary files."""
        found = [*self.mounts(), *map(str, self.temporary.iterdir())]
        for folder in (self.state / "scratch", self.state / "buildah" / "workspaces"):
            found += [str(path) for path in folder.glob("*") if path.name != "lock"]
        for folder in self.state.glob("streams/*/*/.writers"):
            found += [str(path) for path in folder.iterdir() if path.suffix != ".lock"]
        return [*found, *map(str, self.state.rglob("*.new"))]


class Built:
    """The quickstart stream after its first build."""

    def __init__(self, program: Program, stream: Path) -> None:
        self.program = program
        self.stream = stream
        self.report = stream.parent / "report"
        self.first = program.run("build", stream, "--report", self.report, "-o", "json")
        self.printed = self.first.document()

    @property
    def digests(self) -> dict[str, str]:
        """Every image's digest by name, the release's under its own."""
        return digests_of(self.printed)


def digests_of(printed: dict[str, Any]) -> dict[str, str]:
    """The digests in what ``build -o json`` printed."""
    found = {item["name"]: item["digest"] for item in printed["components"]}
    return found | {"release": printed["release"]["digest"]}


class RegistryThread:
    """The registry of ``okd_payload.testing`` in a thread, so that programs can speak with it."""

    def __init__(self, options: ServerOptions | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.server = RegistryServer(options)

    def __enter__(self) -> Self:
        self._thread.start()
        self._finish(self.server.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._finish(self.server.__aexit__(kind, error, traceback))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _finish(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()
