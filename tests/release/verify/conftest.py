# SPDX-License-Identifier: Apache-2.0
"""A key that is made once."""

from __future__ import annotations

import pytest

from okd_payload.testing.memory_signer import MemorySigner


@pytest.fixture(scope="session")
def signer():
    """A key."""
    return MemorySigner()
