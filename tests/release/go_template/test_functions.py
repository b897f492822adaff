# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from okd_payload.release.go_template.errors import TemplateError
from okd_payload.release.go_template.render import parse, render
from okd_payload.release.go_template.values import Record

_DATA = Record("main.config", {"Image": "img", "Map": {"a": "1"}})


def _render(text):
    return render(parse(text, name="t"), _DATA)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{index `abc` 1}}", "98"),
        ("{{eq .Map.nope .Map.nope}} {{eq .Map.nope 1}} {{eq 1 .Map.nope}}", "true false false"),
        ("{{printf `%5s|%-3d|%x|%X|%o` `a` 1 255 255 8}}", "    a|1  |ff|FF|10"),
        ("{{printf `%.2s %.1f %x` `abc` 1.25 `a`}}", "ab 1.2 61"),
        ("{{printf `%s %s %z %` .Map nil 1}}", "map[a:1] %!s(<nil>) %!z(int=1) %!(NOVERB)"),
        ("{{print nil true 1.5}}", "<nil> true 1.5"),
        ("{{with $x := .Map}}{{$x.a}}{{end}}", "1"),
        ("{{range .Map.nope}}x{{else}}y{{end}}", "y"),
        ("{{'\\n'}} {{'\\''}} {{0x1p4}} {{0b11}} {{0o17}} {{-0x1}}", "10 39 16 3 15 -1"),
        ("{{(len .Map) | eq 1}}", "true"),
        ("{{html}}{{define `x`}}{{end}}{{define `x`}}1{{end}}{{template `x`}}", "1"),
        ("{{if .}}yes{{end}}", "yes"),
    ],
)
def test_written(text, written):
    """Functions and literals give what they give in Go."""
    assert _render(text) == written


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{index 1 2}}", "error calling index: can't index item of type int"),
        ("{{index .Map.nope 2}}", "error calling index: index of untyped nil"),
        ("{{index .Map nil}}", "error calling index: value is nil; should be of type string"),
        ("{{index `a` nil}}", "error calling index: cannot index slice/array with nil"),
        ("{{index `a` `b`}}", "error calling index: cannot index slice/array with type string"),
        ("{{slice .Map.nope}}", "error calling slice: slice of untyped nil"),
        ("{{slice 1}}", "error calling slice: can't slice item of type int"),
        ("{{slice `abc` 1 2 3}}", "error calling slice: cannot 3-index slice a string"),
        ("{{slice `abc` 2 1}}", "error calling slice: invalid slice index: 2 > 1"),
        ("{{eq .Map 1}}", "error calling eq: non-comparable type map[a:1]: map[string]string"),
        ("{{lt 1 `a`}}", "error calling lt: incompatible types for comparison"),
        ("{{printf 1}}", "error calling printf: wrong type for value; expected string; got int"),
        ("{{call .Image}}", "error calling call: non-function img of type string"),
        ("{{len .}}", "error calling len: len of type main.config"),
        ("{{not}}", "wrong number of args for not: want 1 got 0"),
    ],
)
def test_failures(text, problem):
    """What a function cannot do it says in the words of Go."""
    with pytest.raises(TemplateError) as caught:
        _render(text)
    assert caught.value.message.endswith(f": {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{'ab'}}", "malformed character constant: 'ab'"),
        ("{{1i}}", 'illegal number syntax: "1i"'),
        ("{{0x}}", 'illegal number syntax: "0x"'),
        (r'{{"\xzz"}}', "invalid syntax"),
    ],
)
def test_literals(text, problem):
    """Literals that mean nothing are mistakes of grammar."""
    with pytest.raises(TemplateError) as caught:
        _render(text)
    assert caught.value.message == f"template: t:1: {problem}"
