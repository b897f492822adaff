# SPDX-License-Identifier: Apache-2.0
"""Which objects a target means.

Group, version, kind, name and namespace are regular expressions for the whole text; label and
annotation selectors have the grammar of Kubernetes. Everything that an object was ever called
counts, so that an overlay may use the names of its base.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from okd_payload.catalog.kustomize.fields import Target
from okd_payload.catalog.kustomize.identity import DEFAULT_NAMESPACE, Identity
from okd_payload.catalog.kustomize.resource import Resource

Requirement = Callable[[Mapping[str, str]], bool]

_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(
    rf"""\s* (?:
        (?P<absent>!) \s* (?P<missing>{_WORD})
      | (?P<key>{_WORD}) \s* (?:
            (?P<operator>==|=|!=|>|<) \s* (?P<value>(?:{_VALUE})?)
          | (?P<set>in|notin) \s* \( (?P<values>[^()]*) \)
        )?
    ) \s* (?:,|$)""",
    re.VERBOSE,
)


class InvalidTarget(ValueError):
    """An expression or a selector that has no meaning; the text says why."""


def select(resource: Resource, target: Target) -> bool:
    """Whether ``target`` means ``resource``. Raises InvalidTarget."""
    return any(_fits(identity, target) for identity in resource.identities) and satisfies(
        resource, target
    )


def satisfies(resource: Resource, target: Target) -> bool:
    """Whether the labels and annotations of ``resource`` are what ``target`` asks for.

    Raises InvalidTarget.
    """
    labels = parse_selector(target.label_selector)
    annotations = parse_selector(target.annotation_selector)
    return all(fits(_texts(resource.value, "labels")) for fits in labels) and all(
        fits(_texts(resource.value, "annotations")) for fits in annotations
    )


@functools.cache
def parse_selector(text: str) -> tuple[Requirement, ...]:
    """The requirements of the selector ``text``, all of which must hold. Raises InvalidTarget."""
    found = []
    position = 0
    while position < len(text.rstrip()):
        match = _REQUIREMENT.match(text, position)
        if match is None or match.end() == position:
            raise InvalidTarget(f"{text!r} is no selector: {text[position:].strip()!r}")
        found.append(_requirement(match, text))
        position = match.end()
    return tuple(found)


def _requirement(match: re.Match[str], text: str) -> Requirement:
    if match["absent"]:
        return functools.partial(_is_absent, match["missing"])
    key, operator = match["key"], match["operator"]
    if match["set"]:
        values = frozenset(value.strip() for value in match["values"].split(","))
        return functools.partial(_is_in if match["set"] == "in" else _is_not_in, key, values)
    if operator in ("=", "=="):
        return functools.partial(_is_in, key, frozenset({match["value"]}))
    if operator == "!=":
        return functools.partial(_is_not_in, key, frozenset({match["value"]}))
    if operator:
        if not re.fullmatch("-?[0-9]+", match["value"]):
            raise InvalidTarget(f"{text!r} compares {key} with {match['value']!r}, no whole number")
        return functools.partial(_compares, key, operator, int(match["value"]))
    return functools.partial(_is_present, key)


def _is_present(key: str, texts: Mapping[str, str]) -> bool:
    return key in texts


def _is_absent(key: str, texts: Mapping[str, str]) -> bool:
    return key not in texts


def _is_in(key: str, values: frozenset[str], texts: Mapping[str, str]) -> bool:
    return texts.get(key) in values


def _is_not_in(key: str, values: frozenset[str], texts: Mapping[str, str]) -> bool:
    return texts.get(key) not in values


def _compares(key: str, operator: str, bound: int, texts: Mapping[str, str]) -> bool:
    if not re.fullmatch("-?[0-9]+", texts.get(key, "")):
        return False
    return int(texts[key]) > bound if operator == ">" else int(texts[key]) < bound


def _fits(identity: Identity, target: Target) -> bool:
    return (
        _matches(target.kind, identity.kind)
        and _matches(target.name, identity.name)
        and _matches(target.group, identity.group)
        and _matches(target.version, identity.version)
        and _matches(target.namespace, identity.namespace or DEFAULT_NAMESPACE)
    )


def _matches(expression: str, text: str) -> bool:
    return not expression or _compile_whole(expression).match(text) is not None


@functools.cache
def _compile_whole(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(f"(?:{expression})\\Z")
    except re.error as error:
        raise InvalidTarget(f"{expression!r} is no regular expression: {error}") from error


def _texts(value: Any, field: str) -> Mapping[str, str]:
    metadata = value.get("metadata")
    texts = metadata.get(field) if isinstance(metadata, dict) else None
    return {key: str(text) for key, text in texts.items()} if isinstance(texts, dict) else {}
