# SPDX-License-Identifier: Apache-2.0
"""Standard input, output and error of this process: closed, full, or with nobody at the other end.

Who starts us with one of them closed (``>&-``) wants nothing there, and gets the same work done.
Left closed, the next file that is opened would take its number, and what is printed by us or by
programs that we run would land in that file, which may be a database.
"""

from __future__ import annotations

import os
import sys

from okd_payload.errors import StorageError

_MODES = ("r", "w", "w")


def open_closed_streams() -> None:
    """Let whatever of the three is closed be ``/dev/null``."""
    names = ("stdin", "stdout", "stderr")
    for number, (name, mode) in enumerate(zip(names, _MODES, strict=True)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)


def lost_output() -> StorageError | None:
    """What keeps standard output from being written, where that is so."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return StorageError(
            f"cannot write to standard output: {error.strerror}",
            hint="make room where the output goes, and run the same command again",
        )
    return None


def silence_output() -> None:
    """Let what is still buffered for standard output go nowhere, without complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
