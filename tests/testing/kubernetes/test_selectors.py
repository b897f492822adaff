# SPDX-License-Identifier: Apache-2.0
"""Which objects selectors mean."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.testing.kubernetes import Refusal
from okd_payload.testing.kubernetes.resources import built_in_resources
from okd_payload.testing.kubernetes.selectors import read_labels, select

PODS = built_in_resources().named("pods")


def _fits(labels, selector):
    chosen = select(PODS, selector, "")
    return chosen is None or chosen({"metadata": {"labels": labels}})


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("a", True),
        ("!a", False),
        ("!b", True),
        ("a=1", True),
        ("a==1", True),
        ("a=2", False),
        ("a!=2", True),
        ("b!=1", True),
        ("a in (1, 2)", True),
        ("a notin (1,2)", False),
        ("b notin (1)", True),
        ("b in (1)", False),
        ("a=1,x/y=z", True),
        ("a=1 , x/y in ( z )", True),
        ("a=1,!x/y", False),
        ("a=", False),
    ],
)
def test_labels_are_chosen_with_every_operator(selector, fits):
    """Absent labels are neither equal to nor in anything."""
    assert _fits({"a": "1", "x/y": "z"}, selector) is fits


@pytest.mark.parametrize(
    "selector", ["a in", "a in (", "a in (b", "=a", "a=b=c", "a,", "(a)", "a in b", "a b"]
)
def test_what_does_not_parse_is_a_bad_request(selector):
    """The refusal says what was found and what was expected."""
    with pytest.raises(Refusal, match=r"unable to parse requirement: found") as refused:
        read_labels(selector)
    assert refused.value.code == 400


@given(st.text(alphabet="ab=!,() innot", max_size=20))
def test_any_text_is_a_selector_or_refused(text):
    """Nothing else comes of it."""
    with contextlib.suppress(Refusal):
        assert isinstance(read_labels(text), tuple)


def test_fields_are_chosen_by_name_and_what_the_kind_offers():
    """Fields that the kind does not offer are refused."""
    pod = {"metadata": {"name": "p", "namespace": "n"}, "status": {"phase": "Failed"}}
    for fields, fits in (
        ("metadata.name=p", True),
        ("metadata.name!=p", False),
        ("metadata.namespace==n,status.phase=Failed", True),
        ("status.phase!=Failed", False),
    ):
        assert select(PODS, "", fields)(pod) is fits
    with pytest.raises(Refusal, match=r"field label not supported: spec\.image"):
        select(PODS, "", "spec.image=x")
    with pytest.raises(Refusal, match="invalid selector"):
        select(PODS, "", "nonsense")
