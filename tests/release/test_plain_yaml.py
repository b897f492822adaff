# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream import go_yaml
from okd_payload.release.plain_yaml import is_plain_object

_HEAD = b"apiVersion: v1\nkind: ConfigMap\n"
_PIECES = [
    *("kind: X\n", "apiVersion: v1\n", "a: b\n", "  c: d\n", "- e\n", "# f\n", "\n", "x: |\n"),
    *("  text\n", 'y: "open\n', 'close"\n', "z: &m 1\n", "w: *m\n", "v: *nope\n", "<<: 1\n"),
    *("t: {{ .X }}\n", "n: .nan\n", "l: [1, 2]\n", "m: {a: 1}\n", "\tq: r\n", "s: 'it''s'\n"),
]


def _is_sound(content):
    try:
        value = go_yaml.parse(content, path="")
    except InvalidDocument:
        return False
    return isinstance(value, dict) and bool(value.get("kind") and value.get("apiVersion"))


@given(st.lists(st.sampled_from(_PIECES), max_size=8))
def test_yes_means_sound(pieces):
    """What is called plain is a sound object by all the rules."""
    content = "".join(pieces).encode()
    assert not is_plain_object(content) or _is_sound(content)


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"spec:\n- a: 1\n",
        b"data: {x: '*.example.com & more'}\n",
        b"description: |\n  a * b, c && d, [1]: https://x\n  kind: [\n",
    ],
)
def test_ordinary_manifests_are_plain(rest):
    """Ordinary manifests need no second look."""
    assert is_plain_object(_HEAD + rest)
    assert is_plain_object(b'{"kind": "X", "apiVersion": "v1"}')


@pytest.mark.parametrize(
    "content",
    [
        _HEAD + b"a: *b\n",
        _HEAD + b"a: &b 1\n",
        _HEAD + b"<<: {}\n",
        _HEAD + b"a: {{ .X }}\n",
        _HEAD + b"a: .inf\n",
        _HEAD + b"a: [\n",
        b"kind: X\n",
        b"apiVersion: v1\nkind:\n",
        b'a: "\nkind: X\napiVersion: v1"\n',
        b'{"kind": "X"}',
        b"{",
        b"",
    ],
)
def test_doubts(content):
    """Whatever might be meant otherwise gets a second look."""
    assert not is_plain_object(content)
