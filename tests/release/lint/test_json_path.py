# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.lint.crd.json_path import find_problem


@pytest.mark.parametrize(
    "path",
    [
        ".spec.replicas",
        ".",
        ".metadata.creationTimestamp",
        '.status.conditions[?(@.type=="Ready")].status',
        ".status.conditions[?(@.type == 'Ready')].status",
        ".spec.list[0]",
        ".spec.list[-1:]",
        ".spec.list[*].name",
        ".spec.list[0,2]",
        ".spec['a.b']['c']",
        ".spec['a','b']",
        r".metadata.labels.machine\.openshift\.io/cluster-api-machine-role",
        "..name",
        ".status.items[?(@.count>3)].name",
        ".status.items[?(@.ready==true)].name",
        ".status.items[?(@.ready)].name",
    ],
)
def test_paths(path):
    """What kubectl takes as a path has no problem."""
    assert find_problem(path) == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "empty"),
        ("spec", "begin with a dot"),
        ("{.spec}", "begin with a dot"),
        (".spec[0", "not closed"),
        (".spec.", "no field"),
        (".spec..[", "not closed"),
        (".spec[x]", "no index"),
        (".spec[]", "no index"),
        (".spec[?(@.a==)]", "lacks something"),
        (".spec[?(@.a==b)]", "no text, number or path"),
        (".spec[?(@.a]", "filter is not closed"),
        (".spec{}", "where a dot"),
        (".spec['a]", "no index"),
    ],
)
def test_problems(path, words):
    """What it does not take is told with the reason."""
    assert words in find_problem(path)


@given(st.text(alphabet=".[]'\"?()@=*\\0a, :", max_size=20))
def test_any_text(text):
    """Any text is judged."""
    assert isinstance(find_problem(text), str)
