# SPDX-License-Identifier: Apache-2.0
"""What an answer that is no success means: the right error, with the registry's own words.

Error bodies come as the distribution specification says, as the token servers say it, or as
the page of a proxy. They are foreign text: bounded, and freed of control characters, before
they stand in a message.
"""

from __future__ import annotations

import http

import msgspec

from okd_payload.errors import (
    ContentError,
    NotFound,
    RegistryError,
    RegistryRefused,
    Unauthorized,
)
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.registry.retry import Transient

_SHOWN_CHARACTERS = 300
_OVERLOAD = frozenset({429, 500, 502, 503, 504})
_TRANSIENT = _OVERLOAD | {408, 425}
_ABSENT_CODES = frozenset({"MANIFEST_BLOB_UNKNOWN"})
"""Said with status 400 about a manifest that leads to what is not there."""
_TRANSIENT_CODES = frozenset({"TOOMANYREQUESTS", "UNAVAILABLE"})

_HINTS = {
    "BLOB_UPLOAD_INVALID": "run the command again; if it stays, the registry's storage is at fault",
    "MANIFEST_BLOB_UNKNOWN": "push the blobs of an image before its manifest",
    "MANIFEST_INVALID": "the registry does not take this kind of manifest",
    "NAME_INVALID": "the registry does not allow this repository name",
    "SIZE_INVALID": "the registry limits the size of what it takes",
    "UNSUPPORTED": "the registry does not offer this operation; is the repository read only?",
}
_LOCAL_HINTS = {
    404: "check the name; a private repository looks absent to those who are not logged in",
    413: "the registry, or a proxy before it, limits the size of requests",
}
_WORDS_HINT = "ask whoever runs the registry: trying again changes nothing"


class _ErrorItem(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""
    detail: object = None


class _ErrorBody(msgspec.Struct, frozen=True):
    errors: list[_ErrorItem] = []
    error: str = ""
    error_description: str = ""
    message: str = ""
    details: str = ""


class Problem(msgspec.Struct, frozen=True):
    """An answer that is no success: its status, the error codes and words in its body."""

    status: int
    codes: tuple[str, ...] = ()
    words: str = ""

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in _TRANSIENT or not _TRANSIENT_CODES.isdisjoint(self.codes)

    def __str__(self) -> str:
        try:
            phrase = f"{self.status} {http.HTTPStatus(self.status).phrase}"
        except ValueError:
            phrase = str(self.status)
        return f"{phrase}: {self.words}" if self.words else phrase


def read_problem(status: int, body: bytes) -> Problem:
    """What the body of an unsuccessful answer says, in whichever of the known forms."""
    try:
        said = decode_json(body, _ErrorBody, what="error body")
    except ContentError:
        return Problem(status)
    words = "; ".join(_describe(item) for item in said.errors[:3])
    words = words or said.error_description or said.message or said.details or said.error
    codes = tuple(item.code.upper() for item in said.errors if item.code)
    return Problem(status, codes, printable(words))


def transient(problem: Problem, *, retry_after: float | None) -> Transient:
    """``problem`` as a failure worth another try."""
    return Transient(
        f"the registry answers {problem}",
        retry_after=retry_after,
        overload=problem.status in _OVERLOAD or not _TRANSIENT_CODES.isdisjoint(problem.codes),
        doubtful=problem.status == 500,
        hint="the registry limits how much is asked of it: log in, or come back later"
        if problem.status == 429
        else "",
    )


def refusal(problem: Problem, *, what: str, login_hint: str) -> RegistryError:
    """The error for an answer that trying again cannot change."""
    message = f"{what}: the registry answers {problem}"
    if problem.status in (401, 403):
        return Unauthorized(message, hint=login_hint)
    hint = next((_HINTS[code] for code in problem.codes if code in _HINTS), "")
    hint = hint or _LOCAL_HINTS.get(problem.status, _WORDS_HINT)
    if problem.status == 404 or not _ABSENT_CODES.isdisjoint(problem.codes):
        return NotFound(message, hint=hint)
    return RegistryRefused(message, hint=hint)


def printable(text: str) -> str:
    """Foreign ``text`` for a message: one line, bounded, nothing that moves a cursor."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    short = " ".join(line.split())
    return short if len(short) <= _SHOWN_CHARACTERS else short[:_SHOWN_CHARACTERS] + "..."


def _describe(item: _ErrorItem) -> str:
    """``message`` in most cases; the code where a registry leaves the message empty."""
    words = item.message or item.code.lower().replace("_", " ")
    return f"{words} ({item.detail})" if isinstance(item.detail, str) and item.detail else words
