# SPDX-License-Identifier: Apache-2.0
"""Secrets that runners need: read when they are used, from where the settings say.

Never from the stream file itself: that is kept in repositories and shown on pages. Tokens by
which others report the result of one run are made from the runner's own secret, so that nothing
has to be stored and every instance can judge them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from okd_payload.errors import InputError

_MAX_BYTES = 64 * 1024


def read_secret(settings: Mapping[str, str], name: str) -> str:
    """The secret ``name``, from the variable or file that ``settings`` name. Raises InputError."""
    variable, file = settings.get(f"{name}Variable", ""), settings.get(f"{name}File", "")
    if file:
        try:
            with Path(file).open("rb") as opened:
                text = opened.read(_MAX_BYTES).decode(errors="replace").strip()
        except OSError as error:
            raise InputError(f"cannot read {name} from {file}: {error.strerror}") from error
    else:
        text = os.environ.get(variable, "").strip()
    if not text:
        raise InputError(
            f"there is no {name} in {file or variable}",
            hint="the controller needs it: set the variable or write the file, and start it again",
        )
    return text


def sign(secret: str, content: bytes) -> str:
    """The signature of ``content``, as webhooks carry it."""
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def result_token(secret: str, run: str) -> str:
    """By what the result of one run may be reported."""
    return hmac.new(secret.encode(), f"result:{run}".encode(), hashlib.sha256).hexdigest()
