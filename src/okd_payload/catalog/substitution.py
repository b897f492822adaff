# SPDX-License-Identifier: Apache-2.0
"""Which image a foreign reference means: an ordered table of patterns.

Component Dockerfiles name images of OpenShift's own CI, a new one for every release, Go and
RHEL version. A few patterns say what all of them mean here, so no Dockerfile is edited and no
list of literal names is kept. The first rule whose pattern fits the whole reference counts,
and its result is final: it is not matched again. References are compared as written, never
normalised.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import msgspec

from okd_payload.catalog.fields import ImageName, Written

_CAPTURE = re.compile(r"\{(\w+)\}")
_GLOB_PART = re.compile(r"(\*\*|\*|\?)")
_GLOB_MEANING = {"**": "(.*)", "*": "([^/]*)", "?": "[^/]"}

_PRIVATE = re.compile(
    r"""(?: registry(?:\.svc)?\.ci\.openshift\.org        # OpenShift's CI registry
        |   quay-proxy\.ci\.openshift\.org                # and its proxy
        |   registry(?:-proxy)?\.[a-z.]*redhat\.com       # internal to the company
        |   brew\.registry\.redhat\.io
        |   registry(?:\.stage)?\.redhat\.io              # subscribers only
        |   [a-z0-9.-]+\.svc(?:\.cluster\.local)?         # registries inside some cluster
        |   [a-z0-9.-]+\.internal
        ) (?: :[0-9]+ )? / .+""",
    re.VERBOSE | re.IGNORECASE,
)
_PUBLIC = re.compile(r"registry\.(?:access|connect)\.redhat\.com/.+", re.IGNORECASE)


class Substitution(Written, frozen=True, kw_only=True):
    """References that fit the pattern mean ``image``.

    In ``glob``, ``*`` stands for any text without '/', ``**`` for any text, ``?`` for one
    character. ``{1}`` in ``image`` is what the first star (or group) caught, ``{name}`` what a
    named group caught.
    """

    image: ImageName
    glob: str = ""
    regex: str = ""
    """A regular expression of Python for the whole reference."""

    def __post_init__(self) -> None:
        """Refuse rules that can never work."""
        if bool(self.glob) == bool(self.regex):
            raise ValueError("exactly one of glob and regex is needed")
        try:
            pattern = _compile(self)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from error
        known = {str(number) for number in range(1, pattern.groups + 1)} | {*pattern.groupindex}
        for name in _CAPTURE.findall(self.image):
            if name not in known:
                raise ValueError(f"{{{name}}} in image stands for nothing in the pattern")

    @property
    def pattern(self) -> str:
        """What references have to look like, for people."""
        return self.glob or self.regex


class Substituted(msgspec.Struct, frozen=True):
    """What a reference means, and the rule that says so."""

    image: str
    rule: Substitution


def substitute(reference: str, rules: Iterable[Substitution]) -> Substituted | None:
    """The meaning of ``reference`` by the first of ``rules`` that fits, None when none does."""
    for rule in rules:
        match = _compile(rule).fullmatch(reference)
        if match:
            return Substituted(_fill(rule.image, match), rule)
    return None


def is_private(reference: str) -> bool:
    """Whether ``reference`` names a registry that not everybody can pull from."""
    return bool(_PRIVATE.fullmatch(reference)) and not _PUBLIC.fullmatch(reference)


@functools.cache
def _compile(rule: Substitution) -> re.Pattern[str]:
    if rule.regex:
        return re.compile(rule.regex)
    parts = _GLOB_PART.split(rule.glob)
    return re.compile("".join(_GLOB_MEANING.get(part) or re.escape(part) for part in parts))


def _fill(image: str, match: re.Match[str]) -> str:
    def captured(name: re.Match[str]) -> str:
        key = name[1]
        return match[int(key) if key.isdigit() else key] or ""

    return _CAPTURE.sub(captured, image)
