# SPDX-License-Identifier: Apache-2.0
"""What the tests of the examples share, and the marker of those that build the debian stream.

They take minutes and need Debian's archive, so they run only when asked for: ``pytest -m debian``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

DEBIAN = "debian"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f"{DEBIAN}: builds the debian stream, only when asked for")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what nobody asked for."""
    if DEBIAN not in config.getoption("markexpr"):
        left_out = [item for item in items if item.get_closest_marker(DEBIAN)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
