# SPDX-License-Identifier: Apache-2.0
"""JSON patches (RFC 6902), applied to plain values without changing them in place.

Where kustomize is more lenient than the RFC, so is this, because overlays rely on it: a
negative index counts from the end, and ``replace`` makes a member that is not there. A value
that is missing altogether and a path without its first '/' are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

_INDEX = re.compile(r"-?[0-9]+")
_END = "-"


class PatchFailed(ValueError):
    """An operation that does not apply; the text says which and why."""


Pointer = Annotated[str, msgspec.Meta(pattern=r"^/", description="a JSON pointer, as /spec/tags/-")]


class Operation(msgspec.Struct, frozen=True):
    """One operation as written; members that it does not need are ignored, as the RFC says."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: Pointer
    source: Pointer = msgspec.field(name="from", default="")
    value: Any = msgspec.UNSET

    def __post_init__(self) -> None:
        """Refuse an operation that lacks what it needs."""
        if self.op in ("add", "replace", "test") and self.value is msgspec.UNSET:
            raise ValueError(f"{self.op} needs a value")
        if self.op in ("move", "copy") and not self.source:
            raise ValueError(f"{self.op} needs from")


def apply_operations(value: Any, operations: tuple[Operation, ...]) -> Any:
    """``value`` after all ``operations``. Raises PatchFailed, and then nothing has happened."""
    for operation in operations:
        try:
            value = _apply(value, operation)
        except PatchFailed as error:
            raise PatchFailed(f"{operation.op} {operation.path}: {error}") from error
    return value


def _apply(value: Any, operation: Operation) -> Any:
    steps = _steps(operation.path)
    match operation.op:
        case "add":
            return _change(value, steps, _adder(operation.value))
        case "remove":
            _get(value, steps)
            return _change(value, steps, _remove)
        case "replace":
            return _change(value, steps, _replacer(operation.value))
        case "copy":
            return _change(value, steps, _adder(_get(value, _steps(operation.source))))
        case "move":
            return _move(value, _steps(operation.source), steps)
        case "test":
            return _test(value, steps, operation.value)


def _move(value: Any, source: list[str], steps: list[str]) -> Any:
    if source == steps[: len(source)] and source != steps:
        raise PatchFailed("a value cannot move into itself")
    moved = _get(value, source)
    return _change(_change(value, source, _remove), steps, _adder(moved))


def _test(value: Any, steps: list[str], wanted: Any) -> Any:
    try:
        found = _get(value, steps)
    except PatchFailed:
        found = None
    if not _is_equal(found, wanted):
        raise PatchFailed("the value is another one")
    return value


def _is_equal(found: Any, wanted: Any) -> bool:
    """Equality of JSON: True is not 1, which Python thinks it is."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(
            _is_equal(found[key], wanted[key]) for key in found
        )
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_is_equal, found, wanted))
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return bool(found == wanted)


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


Change = Callable[[Any, str | int], Any]


def _change(value: Any, steps: list[str], change: Change) -> Any:
    """A copy of ``value`` in which ``change`` was applied to the container of the last step."""
    step, *rest = steps
    if not rest:
        return change(value, _last_key(value, step))
    key = _key(value, step)
    copy = value.copy()
    copy[key] = _change(value[key], rest, change)
    return copy


def _adder(item: Any) -> Change:
    def add(container: Any, key: str | int) -> Any:
        if isinstance(container, dict):
            return {**container, key: item}
        place = _place(key, len(container) + 1)
        return [*container[:place], item, *container[place:]]

    return add


def _replacer(item: Any) -> Change:
    def replace(container: Any, key: str | int) -> Any:
        if isinstance(container, dict):
            return {**container, key: item}
        place = _place(key, len(container))
        return [*container[:place], item, *container[place + 1 :]]

    return replace


def _remove(container: Any, key: str | int) -> Any:
    if isinstance(container, dict):
        return {name: item for name, item in container.items() if name != key}
    place = _place(key, len(container))
    return [*container[:place], *container[place + 1 :]]


def _place(key: str | int, size: int) -> int:
    """``key`` as an index from the front of a list with ``size`` places."""
    place = int(key) + size if int(key) < 0 else int(key)
    if not 0 <= place < size:
        raise PatchFailed(f"index {key} is outside the list")
    return place


def _last_key(container: Any, step: str) -> str | int:
    """The key of ``step``, which need not be there; '-' is the place behind the last item."""
    if isinstance(container, dict):
        return step
    if not isinstance(container, list):
        raise PatchFailed("there is neither a mapping nor a list that holds it")
    if step == _END:
        return len(container)
    if not _INDEX.fullmatch(step):
        raise PatchFailed(f"{step!r} is no index of a list")
    return int(step)


def _key(container: Any, step: str) -> Any:
    """The key of ``step``, which must be there."""
    key = _last_key(container, step)
    if not isinstance(container, dict):
        return _place(key, len(container))
    if key not in container:
        raise PatchFailed(f"there is no {step}")
    return key


def _get(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value[_key(value, step)]
    return value
