# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of runners; what tests import is in ``runners_rig``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from runners_rig import make_context, make_release

__all__ = ["make_context", "make_release"]
