# SPDX-License-Identifier: Apache-2.0
"""From tokens to a template, with Go's words for what is none.

The look-ahead is Go's too, because the line that a message names is that of the token read last.
"""

from __future__ import annotations

from collections.abc import Collection

from okd_payload.documents.go_quote import quote
from okd_payload.release.go_template.constants import parse_number, unquote
from okd_payload.release.go_template.errors import TemplateError
from okd_payload.release.go_template.lexer import Kind, Lexer, Token
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

_DEEPEST = 60
"""How far actions and parentheses may be nested; Go bears more, and nobody writes more."""
_OPERANDS = {
    Kind.BOOLEAN,
    Kind.CHARACTER,
    Kind.COMPLEX,
    Kind.DOT,
    Kind.FIELD,
    Kind.IDENTIFIER,
    Kind.NUMBER,
    Kind.NIL,
    Kind.RAW_STRING,
    Kind.STRING,
    Kind.VARIABLE,
    Kind.LEFT_PAREN,
}


def parse_template(text: str, *, name: str, functions: Collection[str]) -> Template:
    """The template in ``text``. Raises TemplateError with Go's message."""
    return _Parser(text, name, functions).parse()


class _Mark:
    """``end`` or ``else``, which close a body."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __str__(self) -> str:
        return f"{{{{{self.word}}}}}"


class _Parser:
    def __init__(self, text: str, name: str, functions: Collection[str]) -> None:
        self._text = text
        self._name = name
        self._functions = functions
        self._tokens = Lexer(text).read()
        self._last = Token(Kind.END_OF_TEXT, 0, "", 1)
        self._held: list[Token] = []
        self._action_line = 0
        self._variables = ["$"]
        self._loops = self._depth = 0
        self._defined: dict[str, Body] = {}

    def parse(self) -> Template:
        body: list[Statement] = []
        while self._peek().kind is not Kind.END_OF_TEXT:
            if self._peek().kind is Kind.LEFT:
                left = self._next()
                word = self._next_solid()
                if word.kind is Kind.DEFINE:
                    self._read_definition()
                    continue
                self._hold(left, word)
            found = self._read_statement()
            if isinstance(found, _Mark):
                raise self._error(f"unexpected {found}")
            body.append(found)
        return Template(self._name, self._text, tuple(body), self._defined)

    def _read_definition(self) -> None:
        name = self._read_template_name("define clause")
        self._expect(Kind.RIGHT, "define clause")
        self._define(name, self._read_closed_body("define clause"))

    def _define(self, name: str, body: Body) -> None:
        """Keep the later one of two templates with a name, unless it is empty."""
        if body or name not in self._defined:
            self._defined[name] = body

    def _read_closed_body(self, context: str) -> Body:
        variables, self._variables = self._variables, ["$"]
        body, mark = self._read_body()
        self._variables = variables
        if mark.word != "end":
            raise self._error(f"unexpected {mark} in {context}")
        return body

    def _read_template_name(self, context: str) -> str:
        token = self._next_solid()
        if token.kind not in (Kind.STRING, Kind.RAW_STRING):
            raise self._unexpected(token, context)
        return self._unquote(token)

    def _read_body(self) -> tuple[Body, _Mark]:
        body: list[Statement] = []
        self._descend()
        while self._peek_solid().kind is not Kind.END_OF_TEXT:
            found = self._read_statement()
            if isinstance(found, _Mark):
                self._depth -= 1
                return tuple(body), found
            body.append(found)
        raise self._error("unexpected EOF")

    def _read_statement(self) -> Statement | _Mark:
        token = self._next_solid()
        if token.kind is Kind.TEXT:
            return Text(token.position, token.text)
        if token.kind is not Kind.LEFT:
            raise self._unexpected(token, "input")
        self._action_line = token.line
        try:
            return self._read_action()
        finally:
            self._action_line = 0

    def _read_action(self) -> Statement | _Mark:
        word = self._next_solid()
        match word.kind:
            case Kind.IF | Kind.WITH | Kind.RANGE:
                return self._read_branch(word)
            case Kind.BREAK | Kind.CONTINUE:
                return self._read_leap(word)
            case Kind.END:
                self._expect(Kind.RIGHT, "end")
                return _Mark("end")
            case Kind.ELSE:
                if self._peek_solid().kind not in (Kind.IF, Kind.WITH):
                    self._expect(Kind.RIGHT, "else")
                return _Mark("else")
            case Kind.TEMPLATE | Kind.BLOCK:
                return self._read_invocation(word)
        self._hold(word)
        position = self._peek().position
        return Action(position, self._read_pipeline("command", Kind.RIGHT))

    def _read_branch(self, word: Token) -> Branch:
        known = len(self._variables)
        keyword = word.text
        pipeline = self._read_pipeline(keyword, Kind.RIGHT)
        self._loops += keyword == "range"
        body, mark = self._read_body()
        self._loops -= keyword == "range"
        otherwise: Body = ()
        if mark.word == "else":
            follower = self._peek()
            if follower.text == keyword and follower.kind in (Kind.IF, Kind.WITH):
                self._descend()
                otherwise = (self._read_branch(self._next()),)
                self._depth -= 1
            else:
                otherwise, mark = self._read_body()
                if mark.word != "end":
                    raise self._error(f"expected end; found {mark}")
        del self._variables[known:]
        return Branch(pipeline.position, keyword, pipeline, body, otherwise)

    def _read_leap(self, word: Token) -> Leap:
        shown = f"{{{{{word.text}}}}}"
        self._expect(Kind.RIGHT, shown)
        if not self._loops:
            raise self._error(f"{shown} outside {{{{range}}}}")
        return Leap(word.position, word.text)

    def _read_invocation(self, word: Token) -> Invocation:
        context = "template clause" if word.kind is Kind.TEMPLATE else "block clause"
        name = self._read_template_name(context)
        pipeline = None
        if word.kind is Kind.BLOCK:
            pipeline = self._read_pipeline(context, Kind.RIGHT)
            self._define(name, self._read_closed_body("block clause"))
        elif self._peek_solid().kind is Kind.RIGHT:
            self._next_solid()
        else:
            pipeline = self._read_pipeline(context, Kind.RIGHT)
        return Invocation(word.position, name, pipeline)

    def _read_pipeline(self, context: str, end: Kind) -> Pipeline:
        position = self._peek_solid().position
        self._descend()
        variables, assigns = self._read_declarations(context)
        commands: list[Command] = []
        while (token := self._next_solid()).kind is not end:
            if token.kind not in _OPERANDS:
                raise self._unexpected(token, context)
            self._hold(token)
            commands.append(self._read_command())
        if not commands:
            raise self._error(f"missing value for {context}")
        for number, command in enumerate(commands[1:], 2):
            if isinstance(command.arguments[0], Constant | Dot | Nil):
                raise self._error(f"non executable command in pipeline stage {number}")
        self._depth -= 1
        return Pipeline(position, variables, assigns, tuple(commands))

    def _read_declarations(self, context: str) -> tuple[tuple[str, ...], bool]:
        names: list[str] = []
        while (variable := self._peek_solid()).kind is Kind.VARIABLE:
            self._next()
            after = self._peek()
            follower = self._peek_solid()
            if follower.kind in (Kind.ASSIGN, Kind.DECLARE):
                self._next_solid()
                self._variables.append(variable.text)
                return (*names, variable.text), follower.kind is Kind.ASSIGN
            if follower.kind is not Kind.CHAR or follower.text != ",":
                self._hold(variable, *([after] if after.kind is Kind.SPACE else []))
                break
            self._next_solid()
            names.append(variable.text)
            self._variables.append(variable.text)
            if context != "range" or len(names) > 1:
                raise self._error(f"too many declarations in {context}")
            if self._peek_solid().kind not in (Kind.VARIABLE, Kind.RIGHT, Kind.RIGHT_PAREN):
                raise self._error("range can only initialize variables")
        return tuple(names), False

    def _read_command(self) -> Command:
        position = self._peek_solid().position
        arguments: list[Operand] = []
        while True:
            self._peek_solid()
            operand = self._read_operand()
            if operand is not None:
                arguments.append(operand)
            token = self._next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in (Kind.RIGHT, Kind.RIGHT_PAREN):
                self._hold(token)
            elif token.kind is not Kind.PIPE:
                raise self._unexpected(token, "operand")
            break
        if not arguments:
            raise self._error("empty command")
        return Command(position, tuple(arguments))

    def _read_operand(self) -> Operand | None:
        term = self._read_term()
        if term is None or self._peek().kind is not Kind.FIELD:
            return term
        position = self._peek().position
        names: list[str] = []
        while self._peek().kind is Kind.FIELD:
            names.append(self._next().text.removeprefix("."))
        if isinstance(term, Field):
            return Field(position, (*term.names, *names))
        if isinstance(term, Variable):
            return Variable(position, (*term.names, *names))
        if isinstance(term, Pipeline | Identifier):
            return Chain(position, term, tuple(names))
        raise self._error(f"unexpected . after term {quote(str(term))}")

    def _read_term(self) -> Operand | None:
        token = self._next_solid()
        match token.kind:
            case Kind.IDENTIFIER | Kind.VARIABLE:
                return self._read_name(token)
            case Kind.DOT:
                return Dot(token.position)
            case Kind.NIL:
                return Nil(token.position)
            case Kind.FIELD:
                return Field(token.position, (token.text.removeprefix("."),))
            case Kind.LEFT_PAREN:
                return self._read_pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
        return self._read_constant(token)

    def _read_name(self, token: Token) -> Identifier | Variable:
        if token.kind is Kind.VARIABLE:
            if token.text not in self._variables:
                raise self._error(f"undefined variable {quote(token.text)}")
            return Variable(token.position, (token.text,))
        if token.text not in self._functions:
            raise self._error(f"function {quote(token.text)} not defined")
        return Identifier(token.position, token.text)

    def _read_constant(self, token: Token) -> Constant | None:
        match token.kind:
            case Kind.BOOLEAN:
                return Constant(token.position, token.text == "true", token.text)
            case Kind.STRING | Kind.RAW_STRING:
                return Constant(token.position, self._unquote(token), token.text)
            case Kind.NUMBER | Kind.CHARACTER | Kind.COMPLEX:
                try:
                    return Constant(token.position, parse_number(token.text), token.text)
                except ValueError as error:
                    raise self._error(str(error)) from error
        self._hold(token)
        return None

    def _unquote(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as error:
            raise self._error(str(error)) from error

    def _expect(self, kind: Kind, context: str) -> None:
        token = self._next_solid()
        if token.kind is not kind:
            raise self._unexpected(token, context)

    def _next(self) -> Token:
        if self._held:
            return self._held.pop(0)
        self._last = next(self._tokens, self._last)
        return self._last

    def _peek(self) -> Token:
        if not self._held:
            self._held.append(self._next())
        return self._held[0]

    def _next_solid(self) -> Token:
        """The next token that is no space."""
        while (token := self._next()).kind is Kind.SPACE:
            pass
        return token

    def _peek_solid(self) -> Token:
        token = self._next_solid()
        self._hold(token)
        return token

    def _hold(self, *tokens: Token) -> None:
        """Give tokens back, to be read again."""
        self._held[:0] = tokens

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error("nested too deeply")

    def _unexpected(self, token: Token, context: str) -> TemplateError:
        if token.kind is not Kind.ERROR:
            return self._error(f"unexpected {token} in {context}")
        started = ""
        if self._action_line not in (0, token.line):
            started = f" in action started at {self._name}:{self._action_line}"
            if token.text.endswith(" action"):
                started = started.removeprefix(" in action")
        return self._error(f"{token}{started}")

    def _error(self, problem: str) -> TemplateError:
        return TemplateError(f"template: {self._name}:{self._last.line}: {problem}")
