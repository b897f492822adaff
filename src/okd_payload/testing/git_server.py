# SPDX-License-Identifier: Apache-2.0
"""Git servers on loopback: over HTTP, with the faults that a test asks for, and git's own daemon.

Over HTTP it is git's own ``http-backend`` behind a small server, as behind any web server; a
``dumb`` one serves nothing but files. The daemon does what it does anywhere, and knows no faults.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from okd_payload.errors import OkdPayloadError
from okd_payload.testing.ports import reserve_port

_START_SECONDS = 60.0
_HELD_BACK_SECONDS = 60.0


class GitServer(ThreadingHTTPServer):
    """The repositories below a folder over HTTP, with the faults that a test asks for."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.dumb = False
        self.requests: list[str] = []
        self.failures: list[int] = []
        """Statuses of the next answers, before things work."""
        self.refusals: dict[str, int] = {}
        """Statuses of all answers about some repositories, by their paths below the root."""
        self.slow: dict[str, threading.Event] = {}
        """Repositories about which nothing is said before the event, by their paths."""
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


@contextmanager
def serve_git(root: Path) -> Iterator[GitServer]:
    """Serve the repositories below ``root`` over HTTP from a thread."""
    server = GitServer(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.held_back.set()
        for event in server.slow.values():
            event.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve_git_daemon(root: Path, *, log: Path | None = None) -> Iterator[str]:
    """Serve the repositories below ``root`` with git's daemon; gives its URL.

    Into ``log`` it writes what it is asked for. Raises OkdPayloadError when it does not start.
    """
    with reserve_port() as port, _run_git_daemon(root, port, log):
        yield f"git://127.0.0.1:{port}"


@contextmanager
def _run_git_daemon(root: Path, port: int, log: Path | None) -> Iterator[None]:
    programs = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True)
    daemon = Path(programs.stdout.strip()) / "git-daemon"
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(
            [
                daemon,
                "--listen=127.0.0.1",
                f"--port={port}",
                f"--base-path={root}",
                "--export-all",
                "--reuseaddr",
                *(["--verbose"] if log else []),
                root,
            ],
            stdin=subprocess.DEVNULL,
            stderr=output,
        )
    try:
        _wait_for(process, port)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise OkdPayloadError("git daemon does not start", hint="is the package git whole?")


class _Handler(BaseHTTPRequestHandler):
    server: GitServer

    def handle_request(self) -> None:
        """Fail as asked for, or answer."""
        self.server.requests.append(f"{self.command} {self.path}")
        path = self.path.lstrip("/")
        for repository, event in list(self.server.slow.items()):
            if path.startswith(f"{repository}/"):
                event.wait()
        refused = [
            code for name, code in list(self.server.refusals.items()) if path.startswith(f"{name}/")
        ]
        if refused or self.server.failures:
            self.send_error(refused[0] if refused else self.server.failures.pop(0))
        elif not self.server.allows(self.headers["Authorization"]):
            self.answer(401, {"WWW-Authenticate": 'Basic realm="test"'}, b"")
        elif self.server.dumb:
            self.send_file()
        else:
            if self.command == "POST":
                self.server.asked.set()
                self.server.held_back.wait(timeout=_HELD_BACK_SECONDS)
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
