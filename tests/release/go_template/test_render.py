# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.go_template.errors import TemplateError
from okd_payload.release.go_template.render import parse, render
from okd_payload.release.go_template.values import Record

_DATA = Record("main.config", {"Image": "img", "Empty": "", "Map": {"b-x": "2", "a": "1"}})


def _render(text):
    return render(parse(text, name="t"), _DATA)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("{{.Image}}", "img"),
        ("{{ $.Image }}{{ with .Map }}{{ .a }}{{ $.Image }}{{ end }}", "img1img"),
        ("a {{- /* c */ -}} b", "ab"),
        ("a\n{{- .Image -}}\n b", "aimgb"),
        ("{{/* c */}}\nx", "\nx"),
        ("{{ \n .Image \n }}", "img"),
        ("{{`{{ $labels.x }}`}}", "{{ $labels.x }}"),
        (r'{{"a\"\n\x41\u00e9"}}', 'a"\nA\u00e9'),
        (
            "{{.Map.nope}}|{{index .Map `nope`}}|{{index .Map `b-x` | printf `%q`}}",
            '<no value>||"2"',
        ),
        ("{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}", "a=1;b-x=2;"),
        ("{{range $v := .Map}}{{$v}}{{.}}{{end}}", "1122"),
        ("{{range 3}}{{.}}{{if eq . 1}}{{break}}{{end}}{{end}}", "01"),
        ("{{range 3}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{end}}", "02"),
        ("{{range 0}}x{{else}}none{{end}}", "none"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{end}}{{$x}}", "2"),
        ("{{$x := ``}}{{range $x = .Map}}{{end}}{{$x}}", "2"),
        ("{{if .Empty}}1{{else if eq .Image `img`}}2{{else}}3{{end}}", "2"),
        ("{{if false}}1{{else if false}}2{{else}}3{{end}}", "3"),
        ("{{with .Empty}}1{{else with .Image}}{{.}}{{end}}", "img"),
        ("{{not .Empty}} {{and 1 0 .Nope}} {{or `` `b` .Nope}}", "true 0 b"),
        (
            "{{len .Map}} {{len `é`}} {{slice `abcd` 1 3}}{{slice `abcd` 2}}{{slice `ab`}}",
            "2 2 bccdab",
        ),
        (
            "{{eq 1 2 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt `b` `a`}} {{ge 1.5 2.5}}",
            "true " * 5 + "false",
        ),
        ("{{printf `%s %-4d| %03d %v %t %%` `a` 5 7 1.5 true}}", "a 5   | 007 1.5 true %"),
        ("{{printf `%d %s` `a`}} {{printf `x` 1}}", "%!d(string=a) %!s(MISSING) x%!(EXTRA int=1)"),
        ("{{print 1 2 `a` 3}}{{println 1 `a`}}", "1 2a31 a\n"),
        ("{{html `<a&`}} {{js `'<`}} {{urlquery `a b/`}}", "&lt;a&amp; \\'\\u003C a+b%2F"),
        ("{{'a'}} {{0x10}} {{010}} {{1_000}} {{1e3}} {{-1}} {{.5}}", "97 16 8 1000 1000 -1 0.5"),
        ("{{.}}", "{img  map[a:1 b-x:2]}"),
        ("{{(index .Map `a`) | printf `%s%s` `x`}}", "x1"),
        (
            "{{define `d`}}[{{.}}]{{end}}{{template `d` .Image}}{{template `d`}}",
            "[img][<no value>]",
        ),
        ("{{block `d` .Image}}({{.}}){{end}}", "(img)"),
    ],
)
def test_rendered_as_go_does(text, written):
    """What manifests may use does what it does in Go; nothing is escaped but on demand."""
    assert _render(text) == written


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a":{{"c":1}}}', "1: expected :="),
        ('\nx: "{{ .Image "\n', "2: unterminated quoted string"),
        ("{{ `x", "1: unterminated raw quoted string"),
        ("{{ 'x", "1: unterminated character constant"),
        ("{{ toYaml . }}", '1: function "toYaml" not defined'),
        ("{{ $labels.x }}", '1: undefined variable "$labels"'),
        ("{{ .Map.b-x }}", "1: bad character U+002D '-'"),
        ("{{ ☃ }}", "1: unrecognized character in action: U+2603 '☃'"),
        ("{{ .Image }", '1: unexpected "}" in operand'),
        ("{{ .Image", "1: unclosed action"),
        ("{{ .Image\n\n", "3: unclosed action started at t:1"),
        ("{{ (1 }}", "1: unclosed left paren"),
        ("{{ 1) }}", "1: unexpected right paren"),
        ("{{/* x }}", "1: unclosed comment"),
        ("{{/* x */ y}}", "1: comment ends before closing delimiter"),
        ("{{ 1a }}", '1: bad number syntax: "1a"'),
        ("{{ 1+2 }}", '1: bad number syntax: "1+2"'),
        ("{{ 99999999999999999999 }}", '1: integer overflow: "99999999999999999999"'),
        (r'{{ "\q" }}', "1: invalid syntax"),
        ("{{if}}x{{end}}", "1: missing value for if"),
        ("{{}}", "1: missing value for command"),
        ("{{if true}}", "1: unexpected EOF"),
        ("{{end}}", "1: unexpected {{end}}"),
        ("{{else}}", "1: unexpected {{else}}"),
        ("{{if 1}}{{else}}{{else}}{{end}}", "1: expected end; found {{else}}"),
        ("{{break}}", "1: {{break}} outside {{range}}"),
        ("{{1 | 2}}", "1: non executable command in pipeline stage 2"),
        ("{{( )}}", "1: missing value for parenthesized pipeline"),
        ("{{true.x}}", '1: unexpected . after term "true"'),
        ("{{$a, $b := 1}}", "1: too many declarations in command"),
        ("{{range $a, 1}}{{end}}", "1: range can only initialize variables"),
        ("{{template 1}}", '1: unexpected "1" in template clause'),
        ("{{define `x`}}{{else}}", "1: unexpected {{else}} in define clause"),
        ("{{" + "(" * 99 + "1" + ")" * 99 + "}}", "1: nested too deeply"),
    ],
)
def test_refused_in_the_words_of_go(text, problem):
    """A mistake of grammar is told with the line of the token that was read last."""
    with pytest.raises(TemplateError) as caught:
        _render(text)
    assert caught.value.message == f"template: t:{problem}"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a\n  {{.Nope}}", "2:4> .Nope", "can't evaluate field Nope in type main.config"),
        ("{{.Image.x.y}}", "1:8> .Image.x.y", "can't evaluate field x in type string"),
        ("é{{.Nope}}", "1:4> .Nope", "can't evaluate field Nope in type main.config"),
        (
            "{{(index .Map 1).x}}",
            "1:3> index .Map 1",
            "error calling index: value has type int; should be string",
        ),
        ("{{index `a` 5}}", "1:2> index `a` 5", "error calling index: index out of range: 5"),
        ("{{eq 1 `a`}}", "1:2> eq 1 `a`", "error calling eq: incompatible types for comparison"),
        ("{{lt true 1}}", "1:2> lt true 1", "error calling lt: invalid type for comparison"),
        ("{{eq 1}}", "1:2> eq 1", "error calling eq: missing argument for comparison"),
        ("{{len 1}}", "1:2> len 1", "error calling len: len of type int"),
        ("{{len}}", "1:2> len", "wrong number of args for len: want 1 got 0"),
        ("{{index}}", "1:2> index", "wrong number of args for index: want at least 1 got 0"),
        ("{{1 2}}", "1:2> 1", "can't give argument to non-function 1"),
        ("{{$ 2}}", "1:2> $", "can't give argument to non-function $"),
        ("{{.Image 1}}", "1:2> .Image", "Image has arguments but cannot be invoked as function"),
        ("{{.Map.a 1}}", "1:6> .Map.a", "a is not a method but has arguments"),
        ("{{nil}}", "1:2> nil", "nil is not a command"),
        ("{{range .Image}}{{end}}", "1:8> .Image", "range can't iterate over img"),
        (
            "{{range $a, $b := 2}}{{end}}",
            "1:8> $a, $b := 2",
            "can't use 2 to iterate over more than one variable",
        ),
        ("{{template `x`}}", '1:2> {{template "x"}}', 'template "x" not defined'),
        (
            "{{define `x`}}{{template `x`}}{{end}}{{template `x`}}",
            '1:16> {{template "x"}}',
            "exceeded maximum template depth",
        ),
        ("{{range 99999999}}x{{end}}", "1:18> x", "takes more than 200000 steps"),
    ],
)
def test_failures_of_execution(text, place, problem):
    """A mistake of meaning is told with its place, in bytes, and the node it is about."""
    with pytest.raises(TemplateError) as caught:
        _render(text)
    where, _, node = place.partition("> ")
    shown = node.replace("`", '"')
    assert caught.value.message == f'template: t:{where}: executing "t" at <{shown}>: {problem}'


@given(st.text(alphabet="{}.-/*$:=|()\"'`\\\n ab1iferangdx", max_size=60))
def test_any_text(text):
    """Any text is rendered or refused with a message, and nothing else happens."""
    try:
        _render(text)
    except TemplateError as error:
        assert error.message.startswith("template: t:")  # noqa: PT017 - both ends are fine


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_actions(text):
    """Text without actions stays as it is."""
    assert _render(text) == text


@given(st.text(alphabet='ab{}"\\\n', max_size=20).filter(lambda text: "`" not in text))
def test_raw_text(text):
    """What stands in back quotes is written as it is, so that templates can be quoted."""
    assert _render("{{`" + text + "`}}") == text
