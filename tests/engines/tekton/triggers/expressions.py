# SPDX-License-Identifier: Apache-2.0
"""As much of CEL, and of what Triggers does with it, as our expressions need.

Written from the language's definition: literals, lists, maps, fields, indices, ``+``, ``==``,
``!=``, ``in``, ``&&``, ``||``, ``matches`` and ``has``. Anything else is an error, so an
expression that uses more is noticed here.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||==|!=|[-+.,:(){}\[\]]))"
)


Value = Callable[[], Any]


class Missing(Exception):
    """A field or key that is not there: the interceptor refuses the event."""


def evaluate(expression: str, body: Any) -> Any:
    """What ``expression`` is for an event with this ``body``."""
    parser = _Parser(expression, {"body": body})
    value = parser.either()
    assert not parser.tokens, f"left over: {parser.tokens}"
    return value()


class _Parser:
    """Recursive descent; every rule returns something that computes its value."""

    def __init__(self, text: str, variables: dict[str, Any]) -> None:
        self.variables = variables
        self.tokens = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            assert found, f"not a token: {text[position : position + 20]!r}"
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def next_is(self, *signs: str) -> bool:
        return bool(self.tokens) and self.tokens[0][1] in signs

    def take(self, sign: str = "") -> str:
        kind, token = self.tokens.pop(0)
        assert not sign or token == sign, f"{token} instead of {sign} ({kind})"
        return token

    def either(self):
        left = self.both()
        while self.next_is("||"):
            self.take()
            left = _either(left, self.both())
        return left

    def both(self):
        left = self.relation()
        while self.next_is("&&"):
            self.take()
            left = _both(left, self.relation())
        return left

    def relation(self):
        left = self.sum()
        while self.next_is(*_RELATIONS):
            left = _later(_RELATIONS[self.take()], left, self.sum())
        return left

    def sum(self):
        left = self.member()
        while self.next_is("+"):
            self.take()
            left = _later(_join, left, self.member())
        return left

    def member(self):
        value = self.primary()
        while self.next_is(".", "["):
            if self.take() == "[":
                value = _later(_get, value, self.either())
                self.take("]")
                continue
            name = self.take()
            if name == "matches":
                self.take("(")
                value = _later(_matches, value, self.either())
                self.take(")")
            else:
                value = _later(_get, value, _constant(name))
        return value

    def primary(self):
        kind, token = self.tokens.pop(0)
        if kind == "text":
            text = json.loads('"' + token[1:-1].replace("\\'", "'").replace('"', '\\"') + '"')
            return _constant(text)
        if token == "(":
            value = self.either()
            self.take(")")
            return value
        if token == "[":
            items = self.several("]", self.either)
            return lambda: [item() for item in items]
        if token == "{":
            entries = self.several("}", self.entry)
            return lambda: {key(): value() for key, value in entries}
        if token == "has":
            self.take("(")
            value = self.member()
            self.take(")")
            return lambda: _is_there(value)
        constants = {"true": True, "false": False}
        found = constants[token] if token in constants else self.variables[token]
        return _constant(found)

    def several(self, end: str, rule):
        items = []
        while not self.next_is(end):
            items.append(rule())
            if not self.next_is(end):
                self.take(",")
        self.take(end)
        return items

    def entry(self):
        key = self.either()
        self.take(":")
        return key, self.either()


def _constant(value: Any) -> Value:
    return lambda: value


def _later(function: Callable[..., Any], *values: Value) -> Value:
    return lambda: function(*(value() for value in values))


def _both(one: Value, other: Value) -> Value:
    return lambda: one() and other()


def _either(one: Value, other: Value) -> Value:
    return lambda: one() or other()


def _in(one: Any, other: Any) -> bool:
    return one in other


def _matches(text: str, pattern: str) -> bool:
    return re.search(pattern, text) is not None


def _get(of: Any, at: Any) -> Any:
    if not isinstance(of, dict) or at not in of:
        raise Missing(at)
    return of[at]


def _is_there(value) -> bool:
    try:
        value()
    except Missing:
        return False
    return True


def _join(one: Any, other: Any) -> Any:
    assert (type(one), type(other)) == (str, str), "CEL adds strings to strings only"
    return one + other


_RELATIONS = {"==": operator.eq, "!=": operator.ne, "in": _in}
