# SPDX-License-Identifier: Apache-2.0
"""Where a git repository is, and who asks.

A URL may carry a password; nothing but ``Remote`` ever sees it. What is shown, stored, locked
or put on a command line is ``Remote.url``, which has none. Transports that run programs named
by the URL (``ext::``) are refused: a stream file is foreign input.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from okd_payload.errors import InputError

_SCHEMES = ("https", "http", "ssh", "git", "file")
_SCP_LIKE = re.compile(r"(?!-)(?:[^@/:\s]+@)?(?!-)[^@/:\s]+:(?!:)\S+")
_SSH_PASSWORD = re.compile(r"(ssh://[^/@:\s]*):[^/\s]*@")
_USER_INFORMATION = re.compile(r"(?<!ssh)://[^/\s]*@")
_UNSAFE_IN_NAME = re.compile(r"[^A-Za-z0-9._]+")
_HINT = (
    "give https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, git://HOST/PATH, "
    "file:///PATH or an absolute path"
)


class Remote(msgspec.Struct, frozen=True):
    """A repository: its URL without secrets, and the secrets apart."""

    url: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Leave the secrets out: representations end up in tracebacks."""
        return f"Remote({self.url!r})"

    @property
    def location(self) -> str:
        """The URL where others find the repository too; empty for a path of this machine."""
        return "" if self.url.startswith(("/", "file:")) else self.url

    @property
    def host(self) -> str:
        """Who answers, with the port; empty for a path of this machine."""
        _, scheme, rest = self.url.partition("://")
        if not scheme:
            return "" if self.url.startswith("/") else self.url.partition(":")[0]
        return rest.partition("/")[0]

    @property
    def folder_name(self) -> str:
        """A name for files about this repository: readable, and different for each URL."""
        path = self.url.partition("://")[2] or self.url
        readable = _UNSAFE_IN_NAME.sub("-", path.removesuffix(".git"))[-60:].strip("-.")
        unique = hashlib.sha256(self.url.encode()).hexdigest()[:12]
        return f"{readable}-{unique}" if readable else unique


def parse_remote(url: str) -> Remote:
    """``url`` as a remote. Raises InputError, which never shows a password."""
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise InputError(f"{redacted(url)!r} is not a git URL: it has blanks", hint=_HINT)
    if url.startswith("/") or (_SCP_LIKE.fullmatch(url) and "://" not in url):
        return Remote(url)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError as error:
        raise InputError(f"{redacted(url)!r} is not a git URL: {error}", hint=_HINT) from error
    if parts.scheme not in _SCHEMES or not parts.path or not (host or parts.scheme == "file"):
        raise InputError(f"{redacted(url)!r} is not a git URL", hint=_HINT)
    if host.startswith("-"):
        raise InputError(f"{redacted(url)!r} names a host that begins with '-'", hint=_HINT)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "ssh":  # ssh takes the user from the URL, and never a password
        shown = f"{parts.username}@" if parts.username else ""
        user = password = ""
    else:
        shown = ""
    place = f"{shown}[{host}]{port}" if ":" in host else f"{shown}{host}{port}"
    return Remote(urlunsplit(parts._replace(netloc=place)), user, password)


def location_of(url: str) -> str:
    """Where others find the repository at ``url``; empty when they do not."""
    try:
        return parse_remote(url).location
    except InputError:
        return ""


def redacted(text: str) -> str:
    """``text`` with neither users nor passwords in its URLs; ssh's users are no secret."""
    return _USER_INFORMATION.sub("://", _SSH_PASSWORD.sub(r"\1@", text))
