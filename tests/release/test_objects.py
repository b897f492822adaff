# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.objects import check_manifest, read_objects

_OBJECT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: n1}\n"


def _lines(text):
    return [problem.line for problem in check_manifest(text.encode())]


@pytest.mark.parametrize(
    "text",
    [
        _OBJECT,
        "# header\n---\n# more\n" + _OBJECT + "---\n",
        _OBJECT + "--- # second\nkind: X\n---\n\n",
        "\ufeff" + _OBJECT,
        '{"kind": "X", "apiVersion": "v1",}',
        "kind: 5\napiVersion: v1\n",
    ],
)
def test_let_into_a_payload(text):
    """Objects, comments, empty documents behind the first: all that oc would take."""
    assert check_manifest(text.encode()) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [1]),
        ("# only a comment\n", [1]),
        ("---\n---\n" + _OBJECT, [2]),
        ("kind: X\n", [1]),
        ("Kind: X\napiVersion: v1\n", [1]),
        ("kind: [X]\napiVersion: v1\n", [1]),
        (_OBJECT + "---\napiVersion: v1\n", [5]),
        (_OBJECT + "---\n- x\n---\na: [\n", [5, 8]),
        ("kind: X\n\tapiVersion: v1\n", [2]),
    ],
)
def test_kept_out_of_a_payload(text, lines):
    """Every bad document is told, with the line where it begins or breaks."""
    assert _lines(text) == lines


def test_objects_of_a_file():
    """Objects are told apart by group, kind, namespace and name, and know their line."""
    file = read_objects((_OBJECT + "---\nkind: X\nmetadata: {name: b}\n").encode())
    assert [(str(item.key), item.line) for item in file.objects] == [
        ("Deployment.apps n1/a", 1),
        ("X b", 5),
    ]
    assert file.problems == ()


def test_json_and_then_yaml():
    """A file may begin with JSON objects and go on with YAML documents."""
    text = '{"kind":"A","metadata":{"name":"a"}}\n{"kind":"B","metadata":{"name":"b"}}\n---\n'
    file = read_objects((text + "kind: C\nmetadata: {name: c}\n").encode())
    assert [(item.key.kind, item.line) for item in file.objects] == [("A", 1), ("B", 2), ("C", 4)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: X\nmetadata: {name: on}\n", "metadata.name True is not text"),
        ("kind: X\nmetadata: []\n", "no metadata.name"),
        ("kind: 5\nmetadata: {name: a}\n", "kind 5 is not text"),
        ("metadata: {name: a}\n", "no kind"),
        ("apiVersion: a/b/c\nkind: X\nmetadata: {name: a}\n", "is not GROUP/VERSION"),
        ("just text\n", "not an object"),
        ("a: 1\n----\n", "invalid document separator"),
        ("%YAML 1.1\n---\nkind: X\nmetadata: {name: a}\n", "error parsing"),
        ('{"kind": {{ .X }}}', "error parsing JSON"),
        ('{"kind":"A","metadata":{"name":"a"}} x', "text after the JSON object"),
    ],
)
def test_what_the_cluster_refuses(text, words):
    """Each fault is described in words of its own."""
    problems = [problem.message for problem in read_objects(text.encode()).problems]
    assert any(words in problem for problem in problems), problems


@given(st.binary(max_size=80) | st.text(alphabet="-{}[]:, \n#akind'\"&*!|>%", max_size=60))
def test_any_bytes(content):
    """Whatever a file holds, it is objects and problems, never an exception."""
    data = content if isinstance(content, bytes) else content.encode()
    check_manifest(data)
    read_objects(data)


def test_documents_keep_their_order_and_their_json():
    """Objects and problems come in the order of the file; JSON is kept as it is written."""
    text = '{"kind":"X" , "metadata":{"name":"\\ud800"}}'
    file = read_objects(f"{text}\n---\n- x\n---\nkind: X\nmetadata: {{name: b}}\n".encode())
    assert [type(item).__name__ for item in file.documents] == [
        "ManifestObject",
        "Problem",
        "ManifestObject",
    ]
    first, second = file.objects
    assert first.key.name == "\ufffd"
    assert first.raw == text.encode()
    assert second.raw == b'{"kind":"X","metadata":{"name":"b"}}'
    assert (second.api_version, len(file.problems)) == ("", 1)


def test_constants_that_json_lacks():
    """NaN and its kin are no JSON, whatever Python thinks."""
    assert read_objects(b'{"kind": "X", "metadata": {"name": "a", "x": NaN}}').problems
