# SPDX-License-Identifier: Apache-2.0
"""Real repositories to read from, and a git that no configuration of this machine reaches."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from okd_payload.locations import Locations
from okd_payload.source.tree import Sources

DATE = "2024-05-06T07:08:09+0200"
TIME = 1_714_972_089


class StandingClock:
    """Time that passes only by waiting, at once."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return 0.0 + sum(self.waits)

    def monotonic(self) -> float:
        return sum(self.waits)

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Repository:
    """A git work tree, changed with the real git."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @property
    def url(self) -> str:
        """Its URL, by which it is read through the whole protocol."""
        return f"file://{self.path}"

    def git(self, *arguments: str) -> str:
        """What git prints."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """Write files; ``__`` in a name stands for a slash, ``_DOT_`` for a dot."""
        for name, content in files.items():
            path = self.path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def commit(self, message: str = "Change", **files: str) -> str:
        """Commit everything there is, with ``files`` written before; the commit's id."""
        self.write(**files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def known_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same identity, date and configuration everywhere."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    configuration = tmp_path_factory.mktemp("git") / "config"
    configuration.write_text("[uploadpack]\n\tallowFilter = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A. Person")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "person@example.com")
        monkeypatch.setenv(f"GIT_{role}_DATE", DATE)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    return Repository(tmp_path / "repository")


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    """A cache and a state folder of the test's own."""
    return Locations(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.fixture
def clock() -> StandingClock:
    """A clock on which back-off takes no time."""
    return StandingClock()


@pytest.fixture
def sources(locations: Locations, clock: StandingClock) -> Sources:
    """Sources with an empty cache."""
    return Sources(locations, clock=clock)


class GitServer(ThreadingHTTPServer):
    """The repositories below a folder over HTTP, with the faults that a test asks for.

    It is git's own `http-backend` behind a small server, as behind any web server; a `dumb` one
    serves nothing but files.
    """

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.dumb = False
        self.requests: list[str] = []
        self.failures: list[int] = []
        """Statuses of the next answers, before things work."""
        self.credentials = ""
        """The only "user:password" that is let in; empty for everybody."""
        self.asked = threading.Event()
        """Set when a pack was asked for."""
        self.held_back = threading.Event()
        """While this is not set, no pack is sent."""
        self.held_back.set()

    @property
    def url(self) -> str:
        """The URL of the root."""
        return f"http://127.0.0.1:{self.server_port}"

    def allows(self, authorization: str | None) -> bool:
        """Whether a request with this header may pass."""
        allowed = base64.b64encode(self.credentials.encode()).decode()
        return not self.credentials or authorization == f"Basic {allowed}"


class _Handler(BaseHTTPRequestHandler):
    server: GitServer

    def handle_request(self) -> None:
        """Fail as asked for, or answer."""
        self.server.requests.append(f"{self.command} {self.path}")
        if self.server.failures:
            self.send_error(self.server.failures.pop(0))
        elif not self.server.allows(self.headers["Authorization"]):
            self.answer(401, {"WWW-Authenticate": 'Basic realm="test"'}, b"")
        elif self.server.dumb:
            self.send_file()
        else:
            if self.command == "POST":
                self.server.asked.set()
                self.server.held_back.wait(timeout=10)
            self.run_backend()

    do_GET = do_POST = handle_request  # noqa: N815 - names that the base class looks for

    def send_file(self) -> None:
        """Send a file of the root, if there is one."""
        path = self.server.root / self.path.partition("?")[0].lstrip("/")
        if path.is_file():
            self.answer(200, {}, path.read_bytes())
        else:
            self.send_error(404)

    def run_backend(self) -> None:
        """Answer what git's own backend answers."""
        path, _, query = self.path.partition("?")
        size = int(self.headers["Content-Length"] or 0)
        variables = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers["Git-Protocol"] or "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers["Content-Type"] or "",
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers["Content-Encoding"] or "",
        }
        done = subprocess.run(
            ["git", "http-backend"],
            input=self.rfile.read(size),
            capture_output=True,
            env={**os.environ, **variables},
            check=False,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(fields.pop("Status", "200").split()[0])
        self.answer(status, fields, body)

    def answer(self, status: int, fields: dict[str, str], body: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(repository, tmp_path: Path):
    """The repository of the test over HTTP."""
    running = GitServer(tmp_path)
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    yield running
    running.held_back.set()
    running.shutdown()
    running.server_close()
    thread.join()
