# SPDX-License-Identifier: Apache-2.0
"""Rights and scopes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.oci.registry.access import format_scopes, parse_scopes, to_pull, to_push

NAMES = st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}", fullmatch=True)


def test_scopes_are_grouped_by_repository():
    """A mount asks for both repositories, in one scope each, always in the same order."""
    access = to_push("okd/b") | to_pull("okd/a")
    assert format_scopes(access) == ["repository:okd/a:pull", "repository:okd/b:pull,push"]


def test_names_may_contain_a_port():
    """Only the last colon parts the actions from the name."""
    assert parse_scopes("repository:host:5000/a:pull") == to_pull("host:5000/a")


def test_what_is_no_scope_is_left_out():
    """Damaged scopes give no rights."""
    assert parse_scopes("pull nothing: a:b :x:pull a:b:") == frozenset()


@given(st.sets(NAMES, max_size=3), st.sets(NAMES, max_size=3))
def test_scopes_that_are_written_are_read(pulled, pushed):
    """Any access survives being written as scopes."""
    access = frozenset().union(*map(to_pull, pulled), *map(to_push, pushed))
    assert parse_scopes(" ".join(format_scopes(access))) == access
