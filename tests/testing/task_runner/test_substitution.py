# SPDX-License-Identifier: Apache-2.0
"""Variables are replaced as Tekton and the kubelet replace them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.testing.task_runner.substitution import (
    Pass,
    Replacements,
    expand_variables,
    values_pass,
)

VALUES = {"name": "etcd", "words": ["a", "b c"], "place": {"url": "u", "ref": "r"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(params.name)-x", "etcd-x"),
        ('$(params["name"])', "etcd"),
        ("$(params['name'])", "etcd"),
        ("$(params.words[1])", "b c"),
        ("$(params.place.ref)", "r"),
        ("$(params.words[7]) $(params.unknown) $(date)", None),
        ("x$(params.words[*])", None),
        ("$params.name $(params.name", None),
    ],
)
def test_what_is_known_is_replaced_and_all_else_stays(text: str, expected: str | None) -> None:
    """By every spelling; shells keep their own $( )."""
    found = values_pass("params", VALUES).text(text)
    assert found == (text if expected is None else expected)


def test_an_array_that_stands_alone_becomes_its_items() -> None:
    """None of them when it is empty."""
    passes = Replacements((values_pass("params", {**VALUES, "none": []}),))
    words = ["--", "$(params.words[*])", "$(params.none[*])", "$(params.name)"]
    assert passes.items(words) == ("--", "a", "b c", "etcd")
    assert passes.value("$(params.words[*])") == ["a", "b c"]
    assert passes.value({"key": "$(params.name)"}) == {"key": "etcd"}


def test_each_pass_sees_what_the_one_before_left() -> None:
    """A parameter may bring a variable of the next pass, but none of its own."""
    passes = Replacements((Pass({"a": "$(b)", "b": "$(a)"}), Pass({"b": "end"})))
    assert passes.text("$(a) $(b)") == "end $(a)"


@given(st.text())
def test_text_without_variables_is_left_alone(text: str) -> None:
    """Whatever it is."""
    assert Replacements((Pass({}),)).text(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$(A)/x", "1/x"), ("$$(A)", "$(A)"), ("$(B) $A", "$(B) $A"), ("a$$b", "a$b")],
)
def test_the_kubelet_expands_variables_of_the_environment(text: str, expected: str) -> None:
    """Two dollar signs are one, and what is not set stays."""
    assert expand_variables(text, {"A": "1"}) == expected
