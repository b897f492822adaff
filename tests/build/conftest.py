# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share, and a way to import it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Everything that a run takes, in memory."""
    return Workshop(tmp_path)
