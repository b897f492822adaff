# SPDX-License-Identifier: Apache-2.0
"""What a pod found out about the place it runs in, in the few bytes that a pod's state can hold."""

from __future__ import annotations

import msgspec

from okd_payload.issues import Issue

_ROOM = 3800
"""Bytes; a termination message has 4096, with all that surrounds it."""
_LONGEST = 300


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a first small build went in a pod, and what is wrong."""

    version: str = ""
    """Of the tool in the image."""
    driver: str = ""
    """The storage driver that buildah can use there."""
    repository: str = ""
    """The repository that was written to and read from; empty for none."""
    issues: tuple[Issue, ...] = ()


def encode_report(report: ProbeReport) -> bytes:
    """The report, with as many issues as fit."""
    kept = [_short(issue) for issue in report.issues]
    while True:
        content = msgspec.json.encode(msgspec.structs.replace(report, issues=tuple(kept)))
        if len(content) <= _ROOM or not kept:
            return content
        kept.pop()


def decode_report(message: str) -> ProbeReport | None:
    """The report in a termination message; None when there is none in it."""
    try:
        return msgspec.json.decode(message.encode(), type=ProbeReport)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None


def _short(issue: Issue) -> Issue:
    return msgspec.structs.replace(
        issue, message=issue.message[:_LONGEST], hint=issue.hint[:_LONGEST]
    )
