# SPDX-License-Identifier: Apache-2.0
"""Why git failed, in words for people: what it said, and what to do about it.

Git has one exit code for nearly everything, so its words are all there is to tell a missing
repository from a missing password. They are read in English (``git`` sets the locale).
"""

from __future__ import annotations

import re

import msgspec

from okd_payload.process import Outcome
from okd_payload.source.remote import redacted


class Symptom(msgspec.Struct, frozen=True):
    """Words in git's message, what helps, and whether trying again may."""

    words: str
    """A pattern, compiled only once git has failed: most runs need none of them."""
    hint: str
    transient: bool


def _symptom(*words: str, hint: str, transient: bool = False) -> Symptom:
    return Symptom("|".join(words), hint, transient)


_SYMPTOMS = (
    _symptom(
        r"Host key verification failed",
        hint="ssh does not know the server: connect to it once with ssh and accept its key",
    ),
    _symptom(
        r"Permission denied \(",
        r"Permission denied, please try again",
        hint="ssh has no key for this server: load one into ssh-agent, or use the https URL",
    ),
    _symptom(
        r"Authentication failed",
        r"could not read (?:Username|Password)",
        r"terminal prompts disabled",
        r"returned error: 40[13]",
        r"Repository not found",
        hint="the repository is private or does not exist: check the URL, or let a git "
        "credential helper know the password (git help credentials)",
    ),
    _symptom(
        r"does not appear to be a git repository",
        r"repository '.*' (?:not found|does not exist)",
        r"repository not exported",
        r"returned error: 404",
        hint="there is no such repository: check the URL",
    ),
    _symptom(
        r"transport '.*' not allowed",
        r"Unable to find remote helper",
        hint="only https, http, ssh, git and file URLs are read",
    ),
    _symptom(
        r"dubious ownership",
        hint="the folder belongs to another user: if you trust it, run "
        "git config --global --add safe.directory FOLDER",
    ),
    _symptom(
        r"certificate (?:problem|verif)",
        r"unable to get local issuer",
        r"self[- ]signed",
        hint="the server's certificate is not trusted here: add its authority to this system, "
        "or to git's http.sslCAInfo",
    ),
    _symptom(
        r"No space left on device",
        r"Disk quota exceeded",
        hint="free some space, or name another cache folder",
    ),
    _symptom(
        r"Could not resolve host",
        r"Name or service not known",
        r"name resolution",
        hint="check the name of the server and the network; proxies are read from https_proxy",
        transient=True,
    ),
    _symptom(
        r"Connection (?:refused|reset|timed out)",
        r"Failed to connect",
        r"Couldn't connect",
        r"Operation timed out",
        r"unable to connect",
        r"No route to host",
        r"Network is unreachable",
        hint="the server cannot be reached: check the network; proxies are read from https_proxy",
        transient=True,
    ),
    _symptom(
        r"returned error: (?:429|5\d\d)",
        r"RPC failed",
        r"early EOF",
        r"hung up unexpectedly",
        r"unexpected disconnect",
        r"Operation too slow",
        r"SSL_ERROR_SYSCALL",
        r"GnuTLS recv",
        r"Empty reply",
        r"kex_exchange_identification",
        r"protocol error",
        hint="the server or the network failed: run the same command again",
        transient=True,
    ),
)
"""The first that fits counts: what is certain stands before what may pass."""

_TELLING = re.compile(r"^(?:fatal|error|remote|ERROR|ssh)\b.*", re.MULTILINE)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def complaint(outcome: Outcome) -> str:
    """What git said about its failure, in one line that is safe to show."""
    said = _TELLING.findall(outcome.errors) or outcome.errors.strip().splitlines()[-1:]
    text = "; ".join(dict.fromkeys(_UNPRINTABLE.sub("", line).strip() for line in said[:4]))
    return redacted(text) or f"git ended with code {outcome.code} and said nothing"


def hint_for(outcome: Outcome) -> str:
    """What the user can do about a failed command; empty when its words are unknown."""
    symptom = diagnose(outcome)
    return symptom.hint if symptom else ""


def diagnose(outcome: Outcome) -> Symptom | None:
    """What ailed a failed command; None when it succeeded or its words are unknown."""
    if outcome.code == 0:
        return None
    said = outcome.errors
    fitting = (item for item in _SYMPTOMS if re.search(item.words, said, re.IGNORECASE))
    return next(fitting, None)
