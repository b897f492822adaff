# SPDX-License-Identifier: Apache-2.0
"""What a merged change says about itself: its request, its tickets, its subject.

Forges write the number of the request into the commit: GitHub into the subject of a merge
(``Merge pull request #N from ...``, the title in the body) or behind the title of a squashed
commit (``... (#N)``), GitLab into the body of a merge (``See merge request group/project!N``).
The field writes tickets before the title: ``OCPBUGS-1, MCO-2: title``, ``Bug 123: title``, after
marks like ``[release-4.20]``. A commit in no such form has nothing to say to a reader of
changelogs; those are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from okd_payload.release.changelog.model import Change, Ticket
from okd_payload.source.history import LoggedCommit

_MERGE = re.compile(r"Merge pull request #([0-9]{1,9}) from\b")
_MERGE_REQUEST = re.compile(r"^See merge request \S*!([0-9]{1,9})\s*$", re.MULTILINE)
_SQUASHED = re.compile(r"(.*\S)\s*\(#([0-9]{1,9})\)\s*")
_MARKS = re.compile(r"(?:\[[^\]]*\]\s*)+")
_BUGZILLA = re.compile(r"bugs?\s+([0-9]{1,9}(?:[\s,]+[0-9]{1,9})*)\s*[:,-]\s*", re.IGNORECASE)
_JIRA = re.compile(
    r"([A-Z][A-Z0-9]{1,15}-[0-9]{1,9}(?:[\s,]+[A-Z][A-Z0-9]{1,15}-[0-9]{1,9})*)\s*:\s*"
)
_WORDS = re.compile(r"[^\s,]+")


class Digested(msgspec.Struct, frozen=True):
    """The commits of a line, told apart: those with a request, and the number of the others."""

    changes: tuple[Change, ...]
    elided: int


def digest_commits(commits: Iterable[LoggedCommit]) -> Digested:
    """What the commits of a main line say."""
    found = [describe_commit(commit) for commit in commits]
    changes = tuple(change for change in found if change is not None)
    return Digested(changes, len(found) - len(changes))


def describe_commit(commit: LoggedCommit) -> Change | None:
    """The change that ``commit`` brought, None when it came without a request."""
    request, title = _find_request(commit)
    if not request:
        return None
    tickets, subject = split_title(title)
    return Change(
        commit=commit.id, time=commit.time, subject=subject, tickets=tickets, request=request
    )


def split_title(title: str) -> tuple[tuple[Ticket, ...], str]:
    """The tickets before a title, and the rest of it; marks in brackets go."""
    rest, tickets = title.strip(), dict[Ticket, None]()
    while True:
        rest = _MARKS.sub("", rest, count=1) if _MARKS.match(rest) else rest
        found = _BUGZILLA.match(rest) or _JIRA.match(rest)
        if not found or not rest[found.end() :]:
            return tuple(tickets), rest or title.strip()
        tickets |= dict.fromkeys(map(Ticket, _WORDS.findall(found[1])))
        rest = rest[found.end() :]


def _find_request(commit: LoggedCommit) -> tuple[int, str]:
    """The number and the title of the request; 0 when there is none."""
    merged = _MERGE.match(commit.subject)
    if merged:
        return int(merged[1]), _first_line(commit.body) or commit.subject
    referred = _MERGE_REQUEST.search(commit.body)
    if referred:
        title = _first_line(commit.body) if commit.is_merge else commit.subject
        return int(referred[1]), title
    squashed = _SQUASHED.fullmatch(commit.subject)
    return (int(squashed[2]), squashed[1]) if squashed else (0, "")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
