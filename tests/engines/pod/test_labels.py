# SPDX-License-Identifier: Apache-2.0
"""Marks on objects: always valid, and never the same for different things."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.engines.pod import labels
from okd_payload.source.model import Commit

_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


@given(st.text(min_size=1, max_size=200))
def test_every_text_has_a_label_value(text: str):
    """Kubernetes takes the value, whatever a stream is called."""
    assert _VALUE.fullmatch(labels.label_value(text))


@given(st.sets(st.text(alphabet="ab/-_. ", min_size=1, max_size=70), min_size=2, max_size=6))
def test_different_texts_have_different_values(texts: set[str]):
    """What had to be cut is told apart by a hash."""
    assert len({labels.label_value(text) for text in texts}) == len(texts)


def test_a_text_that_fits_stays_as_it_is():
    """People find what they named."""
    assert labels.label_value("cluster-version-operator") == "cluster-version-operator"


def test_a_selector_finds_what_is_marked():
    """What a build is marked with fits the selector of its stream and role."""
    key = "0123456789abcdef" * 4
    marks = labels.build_labels(stream="okd", run="20260101T000000-1", component="etcd", key=key)
    wanted = labels.selector(labels.stream_labels("okd", role=labels.BUILD_ROLE))
    assert {tuple(term.split("=")) for term in wanted.split(",")} <= set(marks.items())
    assert marks[labels.KEY] == key[:40]


def test_annotations_say_the_source():
    """The whole key and the commit are there for people; what is not known is left away."""
    commit = Commit(id="a" * 40, tree="b" * 40, time=0, location="https://example.com/etcd")
    told = labels.build_annotations(component="etcd", key="k", commit=commit)
    assert told[labels.SOURCE] == "https://example.com/etcd"
    assert told[labels.COMMIT] == "a" * 40
    assert labels.SOURCE not in labels.build_annotations(component="etcd", key="k", commit=None)
