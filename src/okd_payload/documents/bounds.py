# SPDX-License-Identifier: Apache-2.0
"""How much of a foreign document is read before it counts as an attack or a mistake."""

from __future__ import annotations

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 2_000_000
"""Bound on nodes after alias expansion: an alias counts as many nodes as it stands for."""
