# SPDX-License-Identifier: Apache-2.0
"""Image references, by the grammar of distribution's ``reference`` package.

``[host[:port]/]path[:tag][@digest]``. A first component without dot, colon or the name
``localhost`` is no host: such names are completed with docker.io, as every client does, and a
lone name gets docker.io's ``library/``. No tag is ever made up: an absent one stays empty, and
only ``selector`` says what clients take then.

Stricter than distribution in one point: it takes ``Team/app`` for host ``Team``, which nobody
means; here that is the mistake it looks like.
"""

from __future__ import annotations

import re

import msgspec

from okd_payload.errors import InvalidReference
from okd_payload.oci.digest import Digest, parse_digest

DEFAULT_HOST = "docker.io"
DEFAULT_TAG = "latest"
MAX_NAME_LENGTH = 255
"""Bound on ``host/path``."""

_OLD_DEFAULT_HOST = "index.docker.io"
_SHOWN_CHARACTERS = 200

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_HOST = re.compile(
    r"""(?: \[ [0-9A-Fa-f:]+ \]                                        # IPv6 in brackets
        |   (?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)               # a name or IPv4
            (?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*
        )
        (?: :[0-9]+ )?""",
    re.VERBOSE,
)
_BARE_ID = re.compile(r"[0-9a-f]{64}")


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed reference; ``str()`` gives its canonical form back."""

    host: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    @property
    def repository(self) -> str:
        """``host/path``."""
        return f"{self.host}/{self.path}"

    @property
    def selector(self) -> str:
        """What picks the manifest in its repository: the digest, else the tag, else latest."""
        return self.digest or self.tag or DEFAULT_TAG

    def with_tag(self, tag: str) -> Reference:
        """The same repository at ``tag``; the digest is dropped."""
        return msgspec.structs.replace(self, tag=tag, digest=None)

    def with_digest(self, digest: Digest) -> Reference:
        """The same repository, pinned; the tag is dropped."""
        return msgspec.structs.replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """``text`` as a reference, completed as clients do. Raises InvalidReference."""
    if "://" in text:
        raise _invalid(text, "a reference has no scheme; remove everything up to '://'")
    name, at, digest_text = text.partition("@")
    digest = _read_digest(text, digest_text) if at else None
    name, tag = _split_tag(text, name)
    host, path = _split_host(name)
    _check_host(text, host)
    _check_path(text, path)
    if len(host) + 1 + len(path) > MAX_NAME_LENGTH:
        raise _invalid(text, f"host and path may have {MAX_NAME_LENGTH} characters together")
    return Reference(host=host, path=path, tag=tag, digest=digest)


def parse_tag(text: str) -> str:
    """``text``, if it may be a tag. Raises InvalidReference."""
    if not _TAG.fullmatch(text):
        raise InvalidReference(
            f"{text[:_SHOWN_CHARACTERS]!r} is not a tag",
            hint="a tag has 1 to 128 letters, digits, '_', '.' and '-', "
            "and begins with neither '.' nor '-'",
        )
    return text


def is_tag(text: str) -> bool:
    """Whether ``text`` may be a tag."""
    return _TAG.fullmatch(text) is not None


def _split_tag(text: str, name: str) -> tuple[str, str]:
    """The name and the tag: what follows a colon that no slash follows."""
    before, colon, tag = name.rpartition(":")
    if not colon or "/" in tag or tag.endswith("]"):
        return name, ""
    if not tag:
        raise _invalid(text, "the tag after ':' is missing; leave the colon out or add a tag")
    try:
        return before, parse_tag(tag)
    except InvalidReference as error:
        raise _invalid(text, error.hint) from error


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not (set(first) & set(".:") or first == "localhost"):
        first, rest = DEFAULT_HOST, name
    host = DEFAULT_HOST if first == _OLD_DEFAULT_HOST else first
    if host == DEFAULT_HOST and "/" not in rest:
        rest = f"library/{rest}"
    return host, rest


def _read_digest(text: str, digest: str) -> Digest:
    try:
        return parse_digest(digest)
    except InvalidReference as error:
        raise _invalid(text, f"the part after '@': {error.hint}") from error


def is_host(text: str) -> bool:
    """Whether ``text`` is a host as references begin with one: a name or address, and a port."""
    return _HOST.fullmatch(text) is not None


def _check_host(text: str, host: str) -> None:
    if not is_host(host):
        raise _invalid(text, f"{host!r} is not a host with an optional port")


def _check_path(text: str, path: str) -> None:
    if _BARE_ID.fullmatch(path.removeprefix("library/")):
        raise _invalid(text, "64 hexadecimal digits alone are an image id; write NAME@sha256:...")
    for component in path.split("/"):
        if not _COMPONENT.fullmatch(component):
            raise _invalid(text, _advice(text, component))


def _advice(text: str, component: str) -> str:
    """What is most likely wrong with a path component."""
    if not component:
        name = "the name is" if text.strip("/:") == "" else "two slashes enclose"
        return f"{name} nothing; write [HOST/]PATH[:TAG][@DIGEST]"
    if component != component.strip():
        return "remove the blanks"
    if component != component.lower():
        return f"names are lower case: write {component.lower()!r}"
    return (
        f"{component!r} may have lower case letters and digits, separated by '.', '_', '__' or '-'"
    )


def _invalid(text: str, hint: str) -> InvalidReference:
    return InvalidReference(f"{text[:_SHOWN_CHARACTERS]!r} is not an image reference", hint=hint)
