# SPDX-License-Identifier: Apache-2.0
"""What git says when it fails, and what we make of it."""

from __future__ import annotations

import pytest

from okd_payload.process import Outcome
from okd_payload.source.git_failures import complaint, diagnose, hint_for

REFUSED = "fatal: unable to access 'https://h/': Failed to connect to h: Connection refused"
TIMED_OUT = "ssh: connect to host h port 22: Connection timed out\r\nfatal: Could not read"
CUT_OFF = "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly\nfatal: early EOF"
NO_REPOSITORY = "fatal: '/x' does not appear to be a git repository\nfatal: Could not read"
NO_NAME = "fatal: could not read Username for 'https://h': terminal prompts disabled"
NOT_OURS = "fatal: detected dubious ownership in repository at '/x'\nTo add an exception"
MESSAGES = [
    ("fatal: unable to access 'https://h/': Could not resolve host: h", True, "check the name"),
    (REFUSED, True, "cannot be reached"),
    (TIMED_OUT, True, "cannot be reached"),
    ("fatal: The requested URL returned error: 503", True, "run the same command again"),
    (CUT_OFF, True, "run the same command again"),
    (NO_NAME, False, "private or does not exist"),
    ("remote: Repository not found.\nfatal: repository 'x' not found", False, "private"),
    ("fatal: repository 'https://h/a/' not found", False, "no such repository"),
    (NO_REPOSITORY, False, "no such repository"),
    ("git@h: Permission denied (publickey).\nfatal: Could not read", False, "ssh-agent"),
    ("Host key verification failed.\nfatal: Could not read", False, "connect to it once"),
    ("fatal: transport 'ext' not allowed", False, "only https"),
    (NOT_OURS, False, "safe.directory"),
    ("fatal: server certificate verification failed.", False, "certificate is not trusted"),
    ("fatal: write error: No space left on device", False, "free some space"),
]


@pytest.mark.parametrize(("said", "transient", "hint"), MESSAGES)
def test_known_words_have_advice(said, transient, hint) -> None:
    """What git says in common failures is understood: whether to try again, and what helps."""
    symptom = diagnose(Outcome(128, b"", said))
    assert symptom is not None
    assert symptom.transient is transient
    assert hint in symptom.hint == hint_for(Outcome(128, b"", said))


def test_unknown_words_and_success_have_none() -> None:
    """Nothing is made of words that are not known, nor of warnings of what went well."""
    assert diagnose(Outcome(1, b"", "fatal: something else")) is None
    assert diagnose(Outcome(0, b"", "warning: Connection refused, trying the next")) is None
    assert hint_for(Outcome(1, b"", "fatal: something else")) == ""


@pytest.mark.parametrize(
    ("errors", "line"),
    [
        ("fatal: one\n", "fatal: one"),
        (
            "Cloning into x\nwarning: y\nerror: two\nfatal: one\nfatal: one\n",
            "error: two; fatal: one",
        ),
        ("odd words\nmore of them\n", "more of them"),
        ("fatal: \x1b[31mred\x1b[0m\x07\n", "fatal: [31mred[0m"),
        ("fatal: https://me:pw@h/a failed", "fatal: https://h/a failed"),
        ("", "git ended with code 9 and said nothing"),
    ],
)
def test_complaints_are_one_safe_line(errors: str, line: str) -> None:
    """Of what git printed the telling lines remain, without control characters and passwords."""
    assert complaint(Outcome(9, b"", errors)) == line
