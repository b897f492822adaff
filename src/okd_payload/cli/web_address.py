# SPDX-License-Identifier: Apache-2.0
"""Addresses of web servers, as people type them."""

from __future__ import annotations

import re
import urllib.parse

from okd_payload.errors import InputError

_SHOWN_CHARACTERS = 200


def read_web_address(text: str, *, option: str) -> urllib.parse.SplitResult:
    """The parts of ``text``, an address of http or https with a host. Raises InputError."""
    try:
        parts = urllib.parse.urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an end, a port that is none
        usable = False
    if not usable or not re.fullmatch(r"[!-~]+", text):
        raise InputError(
            f"{option}: {text[:_SHOWN_CHARACTERS]!r} is no address",
            hint="write https://HOST[:PORT][/PATH]",
        )
    return parts
