# SPDX-License-Identifier: Apache-2.0
"""Variables in text: ``$(params.a)``, ``$(params['a.b'])``, ``$(tasks.b.results.r[*])``.

Owns the grammar, and the three ways in which the webhook looks at variables: whether it knows
them, whether lists and objects stand where only text may, and whether a list stands alone. What
does not follow the grammar is text: the webhook lets it through, and so does the controller.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator

import msgspec

from okd_payload.testing.tekton.admission.model import Step, Value
from okd_payload.testing.tekton.admission.refusals import FieldError

_NAME = r"[_a-zA-Z][_a-zA-Z0-9.-]*(?:\[(?:[0-9]+|\*)\])?"
_EXPRESSION = re.compile(r"\$\([_a-zA-Z0-9.-]+(?:\.[_a-zA-Z0-9.-]+)*(?:\[(?:[0-9]+|\*)\])?\)")
_INDEX = re.compile(r"\[(?:[0-9]+|\*)\]$")
_STEP_RESULT = re.compile(r"\$\(steps\.[^.)\s]+\.results\.[^)\s]+\)")

_ARTIFACT = re.compile(
    r"\$\((?:(?:steps|tasks)\.[^.)\s]+\.(?:inputs|outputs)(?:\.[^)\s]+)?"
    r"|(?:step\.)?artifacts\.path)\)"
)


class ResultReference(msgspec.Struct, frozen=True):
    """A result of a task of the pipeline."""

    task: str
    result: str


class TextField(msgspec.Struct, frozen=True):
    """A text of a step in which variables are replaced."""

    path: str
    text: str
    listed: bool = False
    """Whether it is one of a list, where a variable that is a list may stand alone."""


def step_fields(step: Step) -> Iterator[TextField]:
    """All texts of a step in which the webhook looks for variables."""
    yield TextField("name", step.name)
    yield TextField("image", step.image)
    yield TextField("workingDir", step.working_dir)
    yield TextField("script", step.script)
    for index, text in enumerate(step.command):
        yield TextField(f"command[{index}]", text, listed=True)
    for index, text in enumerate(step.args):
        yield TextField(f"args[{index}]", text, listed=True)
    for variable in step.env:
        yield TextField(f"env[{variable.name}]", variable.value)
    for index, mount in enumerate(step.volume_mounts):
        yield TextField(f"volumeMount[{index}].name", mount.name)
        yield TextField(f"volumeMount[{index}].mountPath", mount.mount_path)
        yield TextField(f"volumeMount[{index}].subPath", mount.sub_path)


def expressions(text: str) -> list[str]:
    """Everything between ``$(`` and ``)`` that has the form of a variable."""
    return [it[2:-1] for it in _EXPRESSION.findall(text)] if "$(" in text else []


def value_expressions(value: Value) -> list[str]:
    """The variables in the value of a parameter."""
    texts = [value] if isinstance(value, str) else list(texts_of(value))
    return [it for text in texts for it in expressions(text)]


def texts_of(value: Value) -> tuple[str, ...]:
    """The texts that a value consists of."""
    if isinstance(value, str):
        return (value,)
    return value if isinstance(value, tuple) else tuple(value.values())


def looks_like_result(expression: str) -> bool:
    """Whether the variable seems to be meant as a result of a task."""
    return expression.startswith(("tasks.", "finally.")) and ".results." in f"{expression}."


def result_reference(expression: str) -> ResultReference | None:
    """The result that a variable stands for: ``tasks.TASK.results.NAME`` and a key or index."""
    parts = expression.split(".")
    if len(parts) not in {4, 5} or parts[0] not in {"tasks", "finally"} or parts[2] != "results":
        return None
    return ResultReference(parts[1], _INDEX.sub("", parts[3]))


def names(text: str, prefix: str) -> list[str]:
    """The names that variables of this prefix have, without ``[*]`` and an index.

    Of ``$(params.a.b)`` it is ``a``; of ``$(params['a.b'])`` the whole.
    """
    return [_INDEX.sub("", it) for it in _indexed_names(text, prefix)]


def refers_to_step_result(text: str) -> bool:
    """Whether the text has a result of a step."""
    return "$(steps." in text and _STEP_RESULT.search(text) is not None


def refers_to_artifact(text: str) -> bool:
    """Whether the text has an artifact of a step or task, which is a feature that is off."""
    return "$(" in text and _ARTIFACT.search(text) is not None


def check_known(text: str, prefix: str, known: Collection[str]) -> Iterator[FieldError]:
    """Variables of this prefix must be declared."""
    if any(name not in known for name in names(text, prefix)):
        yield FieldError(f"non-existent variable in {quote(text)}", ("",))


def check_no_lists(text: str, prefix: str, lists: Collection[str]) -> Iterator[FieldError]:
    """A list may not stand in a text; one element of it may."""
    if any(name.removesuffix("[*]") in lists for name in _indexed_names(text, prefix)):
        yield FieldError(f"variable type invalid in {quote(text)}", ("",))


def check_lists_alone(text: str, prefix: str, lists: Collection[str]) -> Iterator[FieldError]:
    """A list may be one entry of a list, with nothing around it."""
    alone = _pattern(prefix).fullmatch(text) is not None
    if not alone and any(it.removesuffix("[*]") in lists for it in _indexed_names(text, prefix)):
        yield FieldError(f"variable is not properly isolated in {quote(text)}", ("",))


def check_no_objects(text: str, prefix: str, objects: Collection[str]) -> Iterator[FieldError]:
    """An object may not stand in a text as a whole; one key of it may."""
    for match in _pattern(prefix).finditer(text) if "$(" in text else ():
        if _whole_name(match) in objects:
            yield FieldError(f"variable type invalid in {quote(text)}", ("",))
            return


def whole_reference(text: str, prefix: str) -> str | None:
    """The name, where the text is one reference to a whole list or object: ``$(params.a[*])``."""
    match = _pattern(prefix).fullmatch(text) if text.endswith("[*])") else None
    return None if match is None else _whole_name(match)


def quote(text: str) -> str:
    """A text in Go's quotes."""
    return msgspec.json.encode(text).decode()


def _indexed_names(text: str, prefix: str) -> list[str]:
    if "$(" not in text:
        return []
    found = []
    for match in _pattern(prefix).finditer(text):
        dotted = match["dotted"]
        if dotted is None:
            found.append(match["double"] or match["single"])
        else:
            first, dot, _ = dotted.partition(".")
            found.append(first if dot else dotted)
    return found


def _whole_name(match: re.Match[str]) -> str:
    name = match["dotted"] or match["double"] or match["single"]
    return name.removesuffix("[*]")


@functools.cache
def _pattern(prefix: str) -> re.Pattern[str]:
    dotted, double, single = (f"(?P<{it}>{_NAME})" for it in ("dotted", "double", "single"))
    return re.compile(rf"\$\({re.escape(prefix)}(?:\.{dotted}|\[\"{double}\"\]|\['{single}'\])\)")
