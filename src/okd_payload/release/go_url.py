# SPDX-License-Identifier: Apache-2.0
"""What Go's ``net/url`` has against an address, which decides what the cluster warns about."""

from __future__ import annotations

import re

from okd_payload.documents.go_quote import quote

_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2}).{0,2}", re.DOTALL)
_HOST_ESCAPE = re.compile(r"%[0-7][0-9a-fA-F]")
_BAD_IN_HOST = re.compile(r"[ \\^`{|}#?/]")
_BAD_IN_USER = re.compile(r"[^A-Za-z0-9\-._:~!$&'()*+,;=%@]")
_PORT = re.compile(r":[0-9]*|")


def problem_of_url(text: str) -> str:
    """Go's message about ``text``, empty when it is an address or part of one."""
    problem = _check(text)
    return f"parse {quote(text)}: {problem}" if problem else ""


def _check(text: str) -> str:
    if any(ord(character) < ord(" ") or character == "\x7f" for character in text):
        return "net/url: invalid control character in URL"
    text, _, fragment = text.partition("#")
    return _check_rest(text) or _check_escapes(fragment)


def _check_rest(text: str) -> str:
    if text.startswith(":"):
        return "missing protocol scheme"
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    rest = (text[scheme.end() :] if scheme else text).partition("?")[0]
    if not rest.startswith("/"):
        if scheme:
            return ""
        if ":" in rest.partition("/")[0]:
            return "first path segment in URL cannot contain colon"
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        return _check_authority(authority) or _check_escapes(slash + path)
    return _check_escapes(rest)


def _check_authority(authority: str) -> str:
    user, _, host = authority.rpartition("@")
    if _BAD_IN_USER.search(user):
        return "net/url: invalid userinfo"
    problem = _check_host(host)
    return problem or _check_escapes(user)


def _check_host(host: str) -> str:
    if host.startswith("["):
        closing = host.rfind("]")
        if closing < 0:
            return "missing ']' in host"
        name, port = host[:closing], host[closing + 1 :]
    else:
        name, colon, digits = host.rpartition(":")
        name, port = (name, colon + digits) if colon else (host, "")
    if not _PORT.fullmatch(port):
        return f"invalid port {quote(port)} after host"
    problem = _check_escapes(name)
    ascii_escape = _HOST_ESCAPE.search(name)
    if not problem and ascii_escape and ascii_escape[0] != "%25":
        return f"invalid URL escape {quote(ascii_escape[0])}"
    bad = _BAD_IN_HOST.search(name)
    if not problem and bad:
        return f"invalid character {quote(bad[0])} in host name"
    return problem


def _check_escapes(text: str) -> str:
    found = _ESCAPE.search(text)
    return f"invalid URL escape {quote(found[0])}" if found else ""
