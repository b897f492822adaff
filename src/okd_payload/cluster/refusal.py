# SPDX-License-Identifier: Apache-2.0
"""What a server says when it does not do what was asked: the ``Status`` of Kubernetes, read.

Proxies before a server, and servers that do not know an address, answer in plain text or in
pages; then the words are all there is. Nothing is judged here.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster.request import Answer

_LONGEST = 2000
"""Letters of a message that are kept: servers repeat values of any length."""


class _Cause(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""
    field: str = ""


class _Details(msgspec.Struct, frozen=True):
    name: str = ""
    group: str = ""
    kind: str = ""
    causes: tuple[_Cause, ...] = ()


class _Status(msgspec.Struct, frozen=True):
    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: _Details | None = None


class FieldConflict(msgspec.Struct, frozen=True):
    """A field that somebody else looks after."""

    manager: str
    field: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was not done, in the words of the server."""

    code: int
    message: str
    reason: str = ""
    """One word for the kind of refusal: ``NotFound``, ``Forbidden``; empty in plain text."""
    name: str = ""
    """The object that it speaks of, by name and resource."""
    resource: str = ""
    causes: frozenset[str] = frozenset()
    """The words for what lies behind it: ``NamespaceTerminating``."""
    field_conflicts: tuple[FieldConflict, ...] = ()
    structured: bool = True
    """Whether the server of the API spoke, and not somebody before it."""


_decode_status = msgspec.json.Decoder(_Status).decode


def read_refusal(answer: Answer) -> Refusal:
    """The refusal in an answer."""
    return parse_refusal(answer.body, code=answer.status)


def parse_refusal(body: bytes, *, code: int = 0) -> Refusal:
    """The refusal in the text of an answer; ``code`` where it names none itself."""
    try:
        status = _decode_status(body)
    except msgspec.MsgspecError:
        status = _Status()
    if status.kind != "Status":
        words = " ".join(body[: _LONGEST * 4].decode(errors="replace").split())
        return Refusal(code=code, message=_short(words), structured=False)
    details = status.details or _Details()
    return Refusal(
        code=status.code or code,
        message=_short("; ".join(status.message.strip().splitlines())),
        reason=status.reason,
        name=details.name,
        resource=details.kind,
        causes=frozenset(cause.reason for cause in details.causes),
        field_conflicts=tuple(
            FieldConflict(_manager(cause.message), cause.field)
            for cause in details.causes
            if cause.reason == "FieldManagerConflict"
        ),
    )


def _manager(words: str) -> str:
    """Who it is, in ``conflict with "kubectl" using apps/v1``."""
    return words.split('"')[1] if words.count('"') >= 2 else words


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
