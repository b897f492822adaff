# SPDX-License-Identifier: Apache-2.0
"""How much of a layer is believed: whoever pushes an image may be anybody."""

from __future__ import annotations

import msgspec

_MIB = 1024 * 1024


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on one layer; exceeding any of them is TooLarge."""

    expanded_bytes: int = 64 * 1024 * _MIB
    """Size of the archive after inflating."""
    expansion: int = 500
    """How many times larger than the blob the archive may be, once it is past ``expansion_free``:
    gzip alone can reach 1032, which only padding and attacks do."""
    expansion_free: int = 1024 * _MIB
    entries: int = 2_000_000
    name_bytes: int = 4096
    """Length of a name or link target, Linux's own limit for paths."""
    header_bytes: int = _MIB
    """Size of extended headers of one entry, and of the global ones together."""
    kept_bytes: int = 512 * _MIB
    """Content that is kept in memory."""


DEFAULT_BOUNDS = Bounds()
