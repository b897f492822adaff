# SPDX-License-Identifier: Apache-2.0
"""Options that name keys which sign, and where their passphrases come from.

A passphrase is never an argument: other users of a machine see the arguments of every process.
It comes from a file, from the environment, or from whoever sits at the terminal.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.option_groups import option_group
from okd_payload.errors import InputError

if TYPE_CHECKING:
    from okd_payload.signing.signer import AskPassphrase, Signer

_MAX_PASSPHRASE_BYTES = 64 * 1024


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
signing_options = option_group(
    click.option(
        "--key",
        "keys",
        multiple=True,
        type=_FILE,
        help="Sign with the OpenPGP secret key in this file.",
    ),
    click.option(
        "--key-id",
        "key_ids",
        multiple=True,
        metavar="ID",
        help="Sign with this key of gpg: of its agent, a card, a hardware module.",
    ),
    click.option(
        "--passphrase-file",
        type=_FILE,
        help="Take the passphrase of locked keys from the first line of this file.",
    ),
)
"""Options of a command that signs; see ``open_signers``."""


async def open_signers(options: dict[str, Any]) -> list[Signer]:
    """The keys that the values of ``signing_options`` name, taken out of ``options``.

    Raises InputError without any, and what opening keys raises.
    """
    files, ids = options.pop("keys"), options.pop("key_ids")
    passphrase_file = options.pop("passphrase_file")
    if not files and not ids:
        raise InputError(
            "no key was named",
            hint="name a file with --key, or a key that gpg has with --key-id",
        )
    signers: list[Signer] = []
    if files:
        from okd_payload.signing.key_file import open_key_file

        ask = passphrase_source(passphrase_file)
        signers += [open_key_file(path, passphrase=ask) for path in files]
    if ids:
        from okd_payload.signing.gpg import open_gpg_key

        given = given_passphrase(passphrase_file) or ""
        signers += [await open_gpg_key(key, passphrase=given) for key in ids]
    return signers


def passphrase_source(file: Path | None = None) -> AskPassphrase:
    """What gives a passphrase when a key turns out to be locked: ``file`` counts first."""

    def ask(key: str) -> str:
        given = given_passphrase(file)
        if given is not None:
            return given
        if not sys.stdin.isatty():
            from okd_payload.signing.key_file import require_passphrase

            return require_passphrase(key)
        typed: str = click.prompt(f"Passphrase of {key}", hide_input=True, err=True)
        return typed

    return ask


def given_passphrase(file: Path | None = None) -> str | None:
    """The passphrase in ``file``, else that of the environment; None without both."""
    if file is None:
        return os.environ.get("OKD_PAYLOAD_PASSPHRASE") or None
    return read_secret_line(file)


def read_secret_line(path: Path) -> str:
    """The first line of ``path``, without its end. Raises InputError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_PASSPHRASE_BYTES)
        return content.decode().split("\n", 1)[0].removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InputError(
            f"cannot read {path}: {reason}", hint="a secret is the first line of a file of text"
        ) from error
