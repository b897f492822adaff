# SPDX-License-Identifier: Apache-2.0
"""The real gpg command with a home of its own, and its agent ended afterwards.

Paths of sockets may have 107 bytes, so the home lies directly below the folder for temporary
files, wherever tests keep the rest. Passphrases are hashed the least possible number of times:
usually the agent finds out how often it can within 100 ms, which takes seconds, and so does a key.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from okd_payload.errors import OkdPayloadError
from okd_payload.process import find_program


class GnupgHome:
    """A folder for GNUPGHOME; made by ``gnupg_home``."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self.folder = folder

    def run(self, *arguments: str, content: bytes = b"") -> bytes:
        """What gpg prints. Raises OkdPayloadError when it fails."""
        outcome = subprocess.run(
            [self._program, "--homedir", self.folder, "--batch", "--quiet", *arguments],
            input=content,
            capture_output=True,
            check=False,
        )
        if outcome.returncode:
            raise OkdPayloadError(f"gpg {' '.join(arguments)}: {outcome.stderr.decode()}")
        return outcome.stdout

    def make_key(
        self,
        user_id: str,
        *,
        algorithm: str = "rsa2048",
        usage: str = "sign",
        expires: str = "never",
        passphrase: str = "",
        now: str = "",
    ) -> str:
        """A new key; gives its fingerprint. ``now`` is when it is made, as gpg writes times."""
        clock = ["--faked-system-time", now] if now else []
        self.run(
            *(*clock, "--pinentry-mode", "loopback", "--passphrase", passphrase),
            *("--quick-gen-key", user_id, algorithm, usage, expires),
        )
        listed = self.run("--with-colons", "--list-keys", f"={user_id}").decode()
        return next(line.split(":")[9] for line in listed.splitlines() if line[:4] == "fpr:")

    def forget_passphrases(self) -> None:
        """End the agent, which remembers what it was told; the next call starts another."""
        subprocess.run(["gpgconf", "--homedir", self.folder, "--kill", "all"], check=True)

    def verify(self, signature: bytes, content: bytes) -> None:
        """Raise OkdPayloadError unless ``signature`` is a detached one of ``content``."""
        path = self.folder / "signature"
        path.write_bytes(signature)
        self.run("--verify", str(path), "-", content=content)

    def read_message(self, message: bytes) -> bytes:
        """What a signed message says. Raises OkdPayloadError unless its signature is valid."""
        return self.run("--decrypt", content=message)


@contextmanager
def gnupg_home() -> Iterator[GnupgHome]:
    """An empty home, whose agent ends with the context. Raises MissingTool."""
    program = find_program("gpg", needed_for="signing with a key of an agent or a card")
    root = "/tmp" if os.access("/tmp", os.W_OK) else None  # noqa: S108 - mkdtemp makes it private
    folder = Path(tempfile.mkdtemp(prefix="gnupg-", dir=root))
    (folder / "gpg-agent.conf").write_text("s2k-count 65536\n", encoding="utf-8")
    home = GnupgHome(program, folder)
    try:
        yield home
    finally:
        home.forget_passphrases()
        shutil.rmtree(folder, ignore_errors=True)
