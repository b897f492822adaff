# SPDX-License-Identifier: Apache-2.0
"""The log of a server on standard error: lines for people, or one JSON object on each line.

Whatever looks like a secret is taken out of every line, whoever wrote it: nothing here should
ever log one, and this is for the day that something does.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import sys
from typing import Any

import msgspec

from okd_payload.cli.output import escape_controls
from okd_payload.progress import Delayed, Event, Failed

_SECRETS = (
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]+"),
    re.compile(
        r"(?i)((?:password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+"
    ),
    re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"),
    re.compile(r"(\bokdp_[0-9a-f]{12}_)[\w-]+"),
)
_HIDDEN = r"\g<1>***"
_LOUD = ("uvicorn", "httpx", "asyncio")
"""Loggers of others whose news is ours already."""
_OURS = ("stream", "release", "run", "method", "path", "status", "milliseconds")
"""What a record may carry beside its message."""

_progress = logging.getLogger("okd_payload.progress")


def hide_secrets(text: str) -> str:
    """``text`` without what looks like a token or password."""
    for pattern in _SECRETS:
        text = pattern.sub(_HIDDEN, text)
    return text


class TextFormatter(logging.Formatter):
    """A line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, and the stack below it where there is one."""
        return escape_controls(hide_secrets(super().format(record)), keep_lines=True)


class JsonFormatter(logging.Formatter):
    """One JSON object: time, level, logger, message, and what else is known."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        moment = dt.datetime.fromtimestamp(record.created, tz=dt.UTC)
        told: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide_secrets(record.getMessage()),
        }
        for name in _OURS:
            value = getattr(record, name, None)
            if value is not None:
                told[name] = hide_secrets(value) if isinstance(value, str) else value
        if record.exc_info:
            told["exception"] = hide_secrets(self.formatException(record.exc_info))
        return msgspec.json.encode(told).decode()


def start_logging(form: str, *, verbosity: int, quiet: bool) -> None:
    """Log to standard error as ``form`` says: ``text`` or ``json``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    level = logging.DEBUG if verbosity else logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.DEBUG if verbosity > 1 else logging.WARNING)


def log_progress(event: Event) -> None:
    """Progress as lines of the log: what goes wrong for everybody, the rest when asked for."""
    match event:
        case Failed():
            _progress.warning("%s: %s", event.subject, event.reason)
        case Delayed():
            _progress.info("%s: %s", event.subject, event.reason)
        case _:
            _progress.debug("%s", msgspec.json.encode(event).decode())
