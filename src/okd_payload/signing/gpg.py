# SPDX-License-Identifier: Apache-2.0
"""Signing with the gpg command: keys of an agent, a smart card or a hardware module.

gpg runs without its configuration file: a second signer, a notation or text mode in there would
make signatures that clusters reject. What is signed goes in through a file that only we can
read, because a passphrase, where one is given, needs the standard input.

An agent that already runs is used and asks for passphrases in its own way; one that gpg has to
start for us ends with it, so nothing stays behind and nothing is remembered.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from okd_payload import process
from okd_payload.errors import InputError, SigningError, StorageError
from okd_payload.process import Outcome, find_program
from okd_payload.signing.gpg_words import SecretKey, explain_failure, read_secret_keys

_LOOK_SECONDS = 60.0
_SIGN_SECONDS = 300.0
"""People have to find their card, and to type."""
_QUIET = ("--no-options", "--batch", "--no-tty", "--status-fd", "2")


class GpgSigner:
    """A key that gpg has at hand; made by ``open_gpg_key``."""

    def __init__(
        self, program: str, *, key: SecretKey, chosen: str, public_key: bytes, passphrase: str
    ) -> None:
        self._program = program
        self._key = key
        self._chosen = chosen
        self._public_key = public_key
        self._passphrase = passphrase

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the primary key, in capital hexadecimal digits."""
        return self._key.fingerprint

    @property
    def public_key(self) -> bytes:
        """The public key with its sub-keys, armoured."""
        return self._public_key

    async def sign_message(self, content: bytes) -> bytes:
        """A binary OpenPGP message that holds ``content`` and its signature."""
        return await self._sign(content, "--no-armor", "--compress-algo", "none", "--sign")

    async def sign_detached(self, content: bytes) -> bytes:
        """An armoured signature of ``content`` alone."""
        return await self._sign(content, "--armor", "--detach-sign")

    async def _sign(self, content: bytes, *form: str) -> bytes:
        options = [*_QUIET, "--local-user", self._chosen, "--digest-algo", "SHA512"]
        options += ["--set-filename", "", "--output", "-"]
        given = None
        if self._passphrase:
            options += ["--pinentry-mode", "loopback", "--passphrase-fd", "0"]
            given = f"{self._passphrase}\n".encode()
        with tempfile.TemporaryDirectory(prefix="signing-") as folder:
            path = Path(folder) / "content"
            _write(path, content)
            outcome = await _run(
                [self._program, *options, *form, "--", str(path)],
                stdin=given,
                seconds=_SIGN_SECONDS,
            )
        if outcome.code != 0 or not outcome.output:
            reason, hint = explain_failure(outcome.errors)
            raise SigningError(f"gpg does not sign with {self.fingerprint}: {reason}", hint=hint)
        return outcome.output


async def open_gpg_key(key: str, *, passphrase: str = "") -> GpgSigner:
    """The key of gpg that ``key`` means: a fingerprint, an id, or any name that gpg knows.

    A ``!`` behind it chooses exactly that sub-key. With ``passphrase`` the agent does not ask
    for it. Raises MissingTool, InputError when ``key`` means no key or several, SigningError
    when the key cannot sign.
    """
    program = find_program("gpg", needed_for="signing with a key of an agent or a card")
    found = await _find_key(program, key)
    if found.problem:
        raise SigningError(
            f"the key {found.fingerprint} ({found.user_id}) cannot sign: {found.problem}",
            hint="take another key, or renew this one with `gpg --edit-key`",
        )
    exported = await _run(
        [
            *(program, *_QUIET, "--armor", "--export-options", "export-minimal"),
            *("--export", "--", found.fingerprint),
        ],
        seconds=_LOOK_SECONDS,
    )
    if exported.code != 0 or not exported.output:
        reason, hint = explain_failure(exported.errors)
        raise SigningError(f"gpg has no public key {found.fingerprint}: {reason}", hint=hint)
    return GpgSigner(
        program,
        key=found,
        chosen=key if key.endswith("!") else found.fingerprint,
        public_key=exported.output,
        passphrase=passphrase,
    )


async def _find_key(program: str, key: str) -> SecretKey:
    listed = await _run(
        [
            *(program, *_QUIET, "--with-colons", "--fixed-list-mode"),
            *("--list-secret-keys", "--", key),
        ],
        seconds=_LOOK_SECONDS,
    )
    keys = read_secret_keys(listed.output.decode(errors="replace"))
    if len(keys) == 1:
        return keys[0]
    if keys:
        several = ", ".join(f"{item.fingerprint} ({item.user_id})" for item in keys)
        raise InputError(f"{key!r} means several keys: {several}", hint="give one fingerprint")
    reason, _ = explain_failure(listed.errors)
    raise InputError(
        f"gpg has no secret key {key!r}: {reason}",
        hint="`gpg --list-secret-keys` shows the keys that there are; GNUPGHOME says where they "
        "lie. A key on a card is known after `gpg --card-status`",
    )


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", hint="check free space and rights there"
        ) from error


async def _run(command: Sequence[str], *, seconds: float, stdin: bytes | None = None) -> Outcome:
    """Run gpg in a language that is the same everywhere; agents ask on the terminal we have."""
    try:
        return await process.run(
            command,
            environment={"LC_ALL": "C.UTF-8", "GPG_TTY": _terminal()},
            stdin=stdin,
            deadline=seconds,
        )
    except TimeoutError as error:
        raise SigningError(
            f"gpg did not answer within {seconds:.0f} seconds",
            hint="it may be waiting for a passphrase or a card: look for a window that asks",
        ) from error


def _terminal() -> str | None:
    """The terminal that pinentry may use; None leaves the variable as it is not set."""
    try:
        return os.environ.get("GPG_TTY") or os.ttyname(0)
    except OSError:
        return None
