# SPDX-License-Identifier: Apache-2.0
"""What builds print, as text that steers nothing: for pages, tables and messages."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean_text(text: str) -> str:
    """``text`` without terminal sequences and control characters, line ends kept."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
