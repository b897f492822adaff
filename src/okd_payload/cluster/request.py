# SPDX-License-Identifier: Apache-2.0
"""One request to the API of a cluster, and its answer, as values.

A ``Subject`` is what a request is about: objects of a kind, one of them, or a part of one. It
knows the address of that, and how people would name it. Nothing here is sent.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import msgspec

from okd_payload.cluster.protocol import ObjectKind

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
JSON = "application/json"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of a kind, or the one of them that is named."""

    kind: ObjectKind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def path(self) -> str:
        """The address, beginning at the root of the server."""
        kind = self.kind
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        inside = f"/namespaces/{_quoted(self.namespace)}" if self.namespace else ""
        name = f"/{_quoted(self.name)}" if self.name else ""
        below = f"/{self.subresource}" if self.subresource else ""
        return f"{root}{inside}/{kind.plural}{name}{below}"

    @property
    def place(self) -> str:
        """Where it is, with a space before it; nothing for kinds of the whole cluster."""
        return f" in namespace {self.namespace}" if self.namespace else ""

    @property
    def resource(self) -> str:
        """The name by which rights to it are given."""
        kind = self.kind
        part = f"{kind.plural}/{self.subresource}" if self.subresource else kind.plural
        return f"{part}.{kind.group}" if kind.group else part

    def __str__(self) -> str:
        named = f"{self.kind.kind} {self.name}" if self.name else f"all {self.kind.resource}"
        part = f"the {self.subresource} of " if self.subresource else ""
        return f"{part}{named}{self.place}"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the server."""

    verb: str
    """What the API calls it; rights are given by this word."""
    path: str
    about: str
    """What it is about, for people."""
    right: str = ""
    """The right that it needs, without the verb; empty where everybody may ask."""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = JSON

    @property
    def method(self) -> str:
        """The method of HTTP."""
        return _METHODS.get(self.verb, "GET")

    @property
    def target(self) -> str:
        """The address with the query, encoded."""
        question = "&".join(f"{name}={_quoted(value)}" for name, value in self.query if value)
        return f"{self.path}?{question}" if question else self.path


_PLAIN = re.compile(r"[A-Za-z0-9_.:@~-]*").fullmatch
_METHODS = {"create": "POST", "patch": "PATCH", "delete": "DELETE"}


def request_about(
    subject: Subject,
    verb: str,
    *,
    query: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    content_type: str = JSON,
    address: Subject | None = None,
) -> Request:
    """The request to do ``verb`` with ``subject``; to create is asked of the ``address``."""
    about = str(subject)
    if verb == "create" and not subject.name:
        about = f"a new {subject.kind.kind}{subject.place}"
    return Request(
        verb=verb,
        path=(address or subject).path,
        about=about,
        right=f"{subject.resource}{subject.place}",
        query=query,
        body=body,
        content_type=content_type,
    )


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server said."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    """Seconds that the server asks to wait before the next try."""

    @property
    def good(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300


class Unreached(msgspec.Struct, frozen=True, kw_only=True):
    """No answer came."""

    words: str
    sent: bool = True
    """Whether the server may have got the request all the same."""
    mendable: bool = True
    """Whether the next try may end otherwise: not with a certificate that nobody trusts."""


def _quoted(text: str) -> str:
    """As it stands in an address; most of what is sent needs no quoting, which takes its time."""
    return text if _PLAIN(text) else quote(text, safe=":@")
