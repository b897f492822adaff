# SPDX-License-Identifier: Apache-2.0
"""Where the tests of the engine find what they share with each other and with those of builds."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parents[1] / "build")]
