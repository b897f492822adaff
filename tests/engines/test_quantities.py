# SPDX-License-Identifier: Apache-2.0
"""Quantities mean to every engine what they mean to a cluster."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.engines.quantities import size_of
from okd_payload.errors import InputError
from okd_payload.testing.kubernetes.quantities import read_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("500m", 0.5),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5),
        ("8Gi", 8 * 1024**3),
        ("64Mi", 64 * 1024**2),
        ("2G", 2 * 1000**3),
        ("3k", 3000),
        ("1Ki", 1024),
        ("1E", 1000**6),
        ("1e3", 1000),
        ("2E-1", 0.2),
        ("100u", 0.0001),
    ],
)
def test_quantities_have_the_meaning_of_kubernetes(text: str, value: float):
    """Decimal, binary, small and exponential suffixes."""
    assert size_of(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "much", "1d", "-1", "1e", "Gi", "1K", "1e999", "9" * 400, "\u0661"]
)
def test_what_is_no_quantity_is_refused(text: str):
    """The error says how quantities are written."""
    with pytest.raises(InputError, match="is not a quantity") as caught:
        size_of(text)
    assert "8Gi" in caught.value.hint


@given(st.text(max_size=8) | st.from_regex(r"[0-9.]{1,4}[eEnumkKMGTPi0-9]{0,3}", fullmatch=True))
def test_what_is_taken_is_what_a_cluster_takes(text: str):
    """Nothing else comes out than a number that the API server reads too, or an InputError."""
    with contextlib.suppress(InputError):
        size, known = size_of(text), read_quantity(text)
        assert known is not None
        assert math.isclose(size, known.amount)
