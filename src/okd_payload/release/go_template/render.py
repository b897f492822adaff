# SPDX-License-Identifier: Apache-2.0
"""Executing a template. The first mistake ends it, and what was written is thrown away.

Nothing is escaped. Foreign templates may loop, so the steps and the text are bounded, which Go
leaves to the operator's memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from okd_payload.documents.go_quote import quote
from okd_payload.release.go_template.errors import TemplateError
from okd_payload.release.go_template.functions import FUNCTIONS, FunctionError
from okd_payload.release.go_template.nodes import (
    Action,
    Body,
    Branch,
    Chain,
    Command,
    Constant,
    Dot,
    Field,
    Identifier,
    Invocation,
    Leap,
    Nil,
    Operand,
    Pipeline,
    Statement,
    Template,
    Text,
    Variable,
)
from okd_payload.release.go_template.parser import parse_template
from okd_payload.release.go_template.values import (
    ABSENT,
    Absent,
    Record,
    Value,
    is_true,
    show,
    type_of,
)

MAX_STEPS = 200_000
MAX_CHARACTERS = 64 * 1024 * 1024
_DEEPEST = 80
_LAZY = {"and": False, "or": True}
"""Functions that stop at the first argument with this truth."""
_Given = list[Value]
"""The result of the command before in a pipeline, when there is one."""


def parse(text: str, *, name: str) -> Template:
    """The template in ``text``, which may use Go's own functions. Raises TemplateError."""
    return parse_template(text, name=name, functions=FUNCTIONS)


def render(template: Template, data: Record) -> str:
    """What ``template`` writes about ``data``. Raises TemplateError with Go's message."""
    run = _Run(template, data)
    run.walk(template.body, data)
    return "".join(run.written)


class _Broken(Exception):
    """``break`` on its way to its loop."""


class _Continued(Exception):
    """``continue`` on its way to its loop."""


class _Run:
    def __init__(self, template: Template, data: Record) -> None:
        self.written: list[str] = []
        self._template = template
        self._variables: list[tuple[str, Value]] = [("$", data)]
        self._steps = self._characters = self._depth = 0

    def walk(self, body: Body, dot: Value) -> None:
        for statement in body:
            self._count_step(statement)
            self._execute(statement, dot)

    def _execute(self, statement: Statement, dot: Value) -> None:
        match statement:
            case Text():
                self._write(statement, statement.text)
            case Action():
                value = self._evaluate(statement.pipeline, dot)
                if not statement.pipeline.variables:
                    shown = "<no value>" if value is ABSENT else show(value)
                    self._write(statement.pipeline, shown)
            case Branch():
                with self._deeper(statement.pipeline):
                    self._branch(statement, dot)
            case Leap():
                raise _Broken if statement.keyword == "break" else _Continued
            case Invocation():
                self._invoke(statement, dot)

    def _branch(self, branch: Branch, dot: Value) -> None:
        known = len(self._variables)
        try:
            value = self._evaluate(branch.pipeline, dot)
            if branch.keyword == "range":
                self._loop(branch, value, dot)
            elif is_true(value):
                self.walk(branch.body, value if branch.keyword == "with" else dot)
            else:
                self.walk(branch.otherwise, dot)
        finally:
            del self._variables[known:]

    def _loop(self, branch: Branch, value: Value, dot: Value) -> None:
        pairs = self._pairs(branch, value)
        known = len(self._variables)
        looped = False
        for key, item in pairs:
            looped = True
            self._count_step(branch.pipeline)
            self._bind(branch.pipeline, key, item, known)
            try:
                self.walk(branch.body, item)
            except _Broken:
                break
            except _Continued:
                pass
            finally:
                del self._variables[known:]
        if not looped:
            self.walk(branch.otherwise, dot)

    def _pairs(self, branch: Branch, value: Value) -> Iterator[tuple[Value, Value]]:
        if isinstance(value, Mapping):
            members = sorted(value.items(), key=lambda member: member[0].encode())
            return iter(members)
        if isinstance(value, int) and not isinstance(value, bool):
            if len(branch.pipeline.variables) > 1:
                raise self._error(
                    branch.pipeline,
                    f"can't use {show(value)} to iterate over more than one variable",
                )
            return ((number, number) for number in range(value))
        if value is ABSENT:
            return iter(())
        raise self._error(branch.pipeline, f"range can't iterate over {show(value)}")

    def _bind(self, pipeline: Pipeline, key: Value, item: Value, known: int) -> None:
        """Give one round of a loop its variables: the item, or the key and the item."""
        values = [item] if len(pipeline.variables) == 1 else [key, item]
        for place, (name, value) in enumerate(zip(pipeline.variables, values, strict=False)):
            if pipeline.assigns:
                self._assign(pipeline, name, value)
            else:
                self._variables[known - len(pipeline.variables) + place] = (name, value)

    def _invoke(self, invocation: Invocation, dot: Value) -> None:
        body = self._template.defined.get(invocation.name)
        if body is None:
            raise self._error(invocation, f"template {quote(invocation.name)} not defined")
        value = self._evaluate(invocation.pipeline, dot) if invocation.pipeline else ABSENT
        variables, self._variables = self._variables, [("$", value)]
        with self._deeper(invocation):
            self.walk(body, value)
        self._variables = variables

    def _evaluate(self, pipeline: Pipeline, dot: Value) -> Value:
        given: _Given = []
        with self._deeper(pipeline):
            for command in pipeline.commands:
                given = [self._evaluate_command(command, dot, given)]
        value = given[0]
        for name in pipeline.variables:
            if pipeline.assigns:
                self._assign(pipeline, name, value)
            else:
                self._variables.append((name, value))
        return value

    def _evaluate_command(self, command: Command, dot: Value, given: _Given) -> Value:
        first, *arguments = command.arguments
        if isinstance(first, Identifier):
            return self._call(first, arguments, node=command, dot=dot, given=given)
        has_arguments = bool(arguments or given)
        if isinstance(first, Field | Variable | Chain):
            return self._evaluate_fields(first, dot, has_arguments=has_arguments)
        if has_arguments:
            raise self._error(first, f"can't give argument to non-function {first}")
        if isinstance(first, Nil):
            raise self._error(first, "nil is not a command")
        return self._evaluate_operand(first, dot)

    def _evaluate_operand(self, operand: Operand, dot: Value) -> Value:
        match operand:
            case Constant():
                return operand.value
            case Dot():
                return dot
            case Nil():
                return ABSENT
            case Pipeline():
                return self._evaluate(operand, dot)
            case Identifier():
                return self._call(operand, [], node=operand, dot=dot, given=[])
        return self._evaluate_fields(operand, dot, has_arguments=False)

    def _evaluate_fields(
        self, operand: Field | Variable | Chain, dot: Value, *, has_arguments: bool
    ) -> Value:
        names = operand.names
        match operand:
            case Field():
                value = dot
            case Variable():
                value, names = self._look_up(operand), names[1:]
                if not names and has_arguments:
                    raise self._error(operand, f"can't give argument to non-function {operand}")
            case Chain():
                value = self._evaluate_operand(operand.of, dot)
        for number, name in enumerate(names, 1):
            value = self._select(
                operand, value, name, has_arguments=has_arguments and number == len(names)
            )
        return value

    def _select(self, node: Operand, value: Value, name: str, *, has_arguments: bool) -> Value:
        if isinstance(value, Absent):
            return ABSENT
        if isinstance(value, Mapping):
            if has_arguments:
                raise self._error(node, f"{name} is not a method but has arguments")
            return value.get(name, ABSENT)
        if not isinstance(value, Record) or name not in value.fields:
            problem = f"can't evaluate field {name} in type {type_of(value)}"
            raise self._error(node, problem)
        if has_arguments:
            problem = f"{name} has arguments but cannot be invoked as function"
            raise self._error(node, problem)
        return value.fields[name]

    def _call(
        self,
        identifier: Identifier,
        operands: Sequence[Operand],
        *,
        node: Command | Identifier,
        dot: Value,
        given: _Given,
    ) -> Value:
        function = FUNCTIONS[identifier.name]
        count = len(operands) + len(given)
        if count < function.least or (function.most is not None and count > function.most):
            wanted = (
                f"{function.least}" if function.most is not None else f"at least {function.least}"
            )
            raise self._error(
                identifier,
                f"wrong number of args for {identifier.name}: want {wanted} got {count}",
            )
        values: list[Value] = []
        for operand in operands:
            values.append(self._evaluate_operand(operand, dot))
            if identifier.name in _LAZY and is_true(values[-1]) is _LAZY[identifier.name]:
                return values[-1]
        try:
            return function.call(*values, *given)
        except FunctionError as error:
            raise self._error(node, f"error calling {identifier.name}: {error}") from error

    def _look_up(self, variable: Variable) -> Value:
        for name, value in reversed(self._variables):
            if name == variable.names[0]:
                return value
        raise self._error(variable, f"undefined variable: {variable.names[0]}")

    def _assign(self, node: Pipeline, name: str, value: Value) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return
        raise self._error(node, f"undefined variable: {name}")

    def _write(self, node: Text | Pipeline, text: str) -> None:
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise self._error(node, f"writes more than {MAX_CHARACTERS} characters")
        self.written.append(text)

    def _count_step(self, node: Statement | Pipeline) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise self._error(node, f"takes more than {MAX_STEPS} steps")

    @contextmanager
    def _deeper(self, node: Pipeline | Invocation) -> Iterator[None]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(node, "exceeded maximum template depth")
        try:
            yield
        finally:
            self._depth -= 1

    def _error(self, node: Statement | Operand | Command, problem: str) -> TemplateError:
        before = self._template.text[: node.position]
        line = before.count("\n") + 1
        column = len(before.rpartition("\n")[2].encode(errors="surrogateescape"))
        name = self._template.name
        return TemplateError(
            f"template: {name}:{line}:{column}: executing {quote(name)} at <{node}>: {problem}"
        )
