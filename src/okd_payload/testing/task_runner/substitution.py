# SPDX-License-Identifier: Apache-2.0
"""Variables in texts, replaced in the order and by the rules of Tekton and of Kubernetes.

Tekton replaces in several passes, each of which looks at what the one before left: so a
parameter whose value reads ``$(context.taskRun.name)`` is replaced as well. In one pass nothing
is replaced twice. What nobody knows stays as text. An argument that is nothing but a reference
to an array becomes its items.

The kubelet then replaces ``$(NAME)`` in commands and arguments by environment variables, and
reads ``$$`` as one dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.testing.task_runner.model import Value

_REFERENCE = re.compile(r"\$\(([^()]*)\)")
_KUBELET = re.compile(r"\$(?:\$|\(([^()]*)\))")


class Pass(msgspec.Struct, frozen=True):
    """What is replaced at once: texts, and arrays where they stand alone."""

    texts: Mapping[str, str]
    arrays: Mapping[str, Sequence[str]] = {}

    def text(self, text: str) -> str:
        """``text`` with all known variables replaced."""
        if "$(" not in text:
            return text
        return _REFERENCE.sub(lambda found: self.texts.get(found[1], found[0]), text)

    def items(self, text: str) -> Sequence[str]:
        """What ``text``, one argument, becomes."""
        found = _REFERENCE.fullmatch(text)
        if found is not None and found[1] in self.arrays:
            return self.arrays[found[1]]
        return (self.text(text),)


class Replacements(msgspec.Struct, frozen=True):
    """Passes, one after the other."""

    passes: tuple[Pass, ...]

    def text(self, text: str) -> str:
        """``text`` after all passes."""
        for each in self.passes:
            text = each.text(text)
        return text

    def items(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Arguments after all passes."""
        found = tuple(texts)
        for each in self.passes:
            found = tuple(item for text in found for item in each.items(text))
        return found

    def value(self, value: Value) -> Value:
        """The value of a parameter or result after all passes."""
        if isinstance(value, str):
            found = self.items([value])
            return value if found == (value,) else _single(found, value, self)
        if isinstance(value, list):
            return list(self.items(value))
        return {key: self.text(text) for key, text in value.items()}


def values_pass(prefix: str, values: Mapping[str, Value]) -> Pass:
    """The references to ``values`` below ``prefix``: ``params`` or ``tasks.NAME.results``."""
    texts: dict[str, str] = {}
    arrays: dict[str, Sequence[str]] = {}
    for name, value in values.items():
        for spelled in (f"{prefix}.{name}", f'{prefix}["{name}"]', f"{prefix}['{name}']"):
            if isinstance(value, str):
                texts[spelled] = value
            elif isinstance(value, list):
                arrays[spelled] = arrays[f"{spelled}[*]"] = value
                texts |= {f"{spelled}[{number}]": item for number, item in enumerate(value)}
            else:
                texts |= {f"{spelled}.{key}": item for key, item in value.items()}
    return Pass(texts, arrays)


def expand_variables(text: str, environment: Mapping[str, str]) -> str:
    """``text`` as the kubelet expands it by ``environment``."""

    def expand(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return environment.get(found[1], found[0])

    return _KUBELET.sub(expand, text)


def _single(found: tuple[str, ...], value: str, replacements: Replacements) -> Value:
    """The value of a text: a whole array where it refers to one, else a text."""
    reference = _REFERENCE.fullmatch(value)
    if reference is not None and any(reference[1] in each.arrays for each in replacements.passes):
        return list(found)
    return found[0]
