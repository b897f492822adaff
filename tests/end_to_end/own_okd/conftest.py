# SPDX-License-Identifier: Apache-2.0
"""Where the tests of the tutorial find what they share."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "build")]
