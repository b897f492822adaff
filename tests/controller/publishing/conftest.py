# SPDX-License-Identifier: Apache-2.0
"""Lets these tests import what they share: ``publishing_rig``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
