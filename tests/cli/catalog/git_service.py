# SPDX-License-Identifier: Apache-2.0
"""Real git repositories behind a real git daemon, and servers that misbehave."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from okd_payload.testing.ports import reserve_port

IDENTITY = {
    "GIT_AUTHOR_NAME": "A. Person",
    "GIT_AUTHOR_EMAIL": "person@example.com",
    "GIT_COMMITTER_NAME": "A. Person",
    "GIT_COMMITTER_EMAIL": "person@example.com",
    "GIT_AUTHOR_DATE": "2024-05-06T07:08:09+0200",
    "GIT_COMMITTER_DATE": "2024-05-06T07:08:09+0200",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


class GitService:
    """Repositories below a folder, served as ``git://127.0.0.1:PORT/NAME``."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.port = port

    def url(self, name: str) -> str:
        """Where the repository called ``name`` is."""
        return f"git://127.0.0.1:{self.port}/{name}"

    def make(self, name: str, *branches: str, files: dict[str, str] | None = None) -> str:
        """A repository with one commit that all ``branches`` point at; its URL."""
        folder = self.root / name
        folder.mkdir(parents=True)
        self.git(name, "init", "--quiet", f"--initial-branch={branches[0]}")
        self.git(name, "config", "uploadpack.allowFilter", "true")
        self.git(name, "config", "uploadpack.allowAnySHA1InWant", "true")
        self.commit(name, files or {"README": name})
        for branch in branches[1:]:
            self.git(name, "branch", branch)
        return self.url(name)

    def commit(self, name: str, files: dict[str, str]) -> str:
        """Commit ``files`` on the branch that is checked out; the commit's id."""
        for path, text in files.items():
            target = self.root / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.git(name, "add", "--all")
        self.git(name, "commit", "--quiet", "-m", "Change")
        return self.git(name, "rev-parse", "HEAD")

    def git(self, name: str, *arguments: str) -> str:
        """What git prints in the repository called ``name``."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root / name,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **IDENTITY},
        )
        return done.stdout.strip()


@contextlib.contextmanager
def serve_git(root: Path) -> Iterator[GitService]:
    """A git daemon for the repositories below ``root`` on a free port of loopback."""
    root.mkdir(parents=True, exist_ok=True)
    with reserve_port() as port, _run_daemon(root, port):
        yield GitService(root, port)


@contextlib.contextmanager
def _run_daemon(root: Path, port: int) -> Iterator[None]:
    daemon = subprocess.Popen(
        [
            *("git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--reuseaddr"),
            *("--export-all", f"--base-path={root}", "--verbose", str(root)),
        ],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert daemon.stderr is not None
    try:
        for line in daemon.stderr:
            if "Ready to rumble" in line:
                break
        drain = threading.Thread(target=daemon.stderr.read)
        drain.start()
        yield
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        daemon.wait()
        drain.join()
        daemon.stderr.close()


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """A server that takes connections and never says anything; the URL of a repository of it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"git://127.0.0.1:{listener.getsockname()[1]}/slow"
