# SPDX-License-Identifier: Apache-2.0
"""What a server logs can be read by programs, and holds no secret."""

from __future__ import annotations

import logging
import sys

import msgspec
import pytest

from okd_payload.cli.serving.logs import JsonFormatter, TextFormatter, hide_secrets


def record(message: str, **extra: object) -> logging.LogRecord:
    """What a logger makes of ``message``."""
    made = logging.LogRecord("okd_payload.x", logging.WARNING, "x.py", 1, message, (), None)
    vars(made).update(extra)
    return made


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cret.token",
        "basic s3cret==",
        "postgresql+psycopg://okd:s3cret@db.test/releases is away",
        "password=s3cret host=db.test",
        '{"token": "s3cret"}',
        "GET /api?token=s3cret&x=1",
        "GET /releasetag/okdp_da347e24de37_s3cret-and-more_",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    """In whichever form a token or password comes."""
    assert "s3cret" not in hide_secrets(text)
    assert "***" in hide_secrets(text)


def test_ordinary_words_stay() -> None:
    """What is no secret is not touched."""
    text = "stream scos: https://quay.test/v2/okd/manifests/latest answers 503"
    assert hide_secrets(text) == text


def test_a_token_in_an_address_is_hidden() -> None:
    """Somebody put it into the path by mistake: it is neither in the message nor beside it."""
    path = "/releasetag/okdp_da347e24de37_s3cret"
    line = JsonFormatter().format(record(f"GET {path}: 404", path=path))
    assert "s3cret" not in line
    assert msgspec.json.decode(line)["path"] == "/releasetag/okdp_da347e24de37_***"


def test_json_lines_say_what_is_known() -> None:
    """One object a line: message, level, and what the record carries beside them."""
    line = JsonFormatter().format(record("two\nlines", path="/healthz", status=503, secret="x"))
    assert "\n" not in line
    told = msgspec.json.decode(line)
    assert told["level"] == "warning"
    assert (told["message"], told["path"], told["status"]) == ("two\nlines", "/healthz", 503)
    assert "secret" not in told
    assert told["time"].endswith("Z")


def test_failures_are_told_with_their_stack_and_without_secrets() -> None:
    """In both forms."""
    try:
        int("password=s3cret")
    except ValueError:
        failed = record("a pass failed", exc_info=sys.exc_info())
    for formatter in (JsonFormatter(), TextFormatter()):
        line = formatter.format(failed)
        assert "ValueError" in line
        assert "s3cret" not in line


def test_control_characters_steer_no_terminal() -> None:
    """What others wrote is shown, not obeyed."""
    assert "\x1b" not in TextFormatter().format(record("\x1b[2J"))
