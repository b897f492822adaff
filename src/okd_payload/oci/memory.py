# SPDX-License-Identifier: Apache-2.0
"""Giving the memory of large buffers back to the system as soon as they are free.

The allocator of glibc maps large blocks each on their own, but stops doing so for sizes that
were freed once, up to 32 MiB. Buffers that one thread takes and another frees then pile up in
the arenas of all threads: streaming gigabytes through buffers of 256 KiB took 210 MiB, and takes
60 when such blocks stay mapped, for some more work of the kernel. A program decides that once,
for all its threads; a library does not, so nothing here is called by anything but commands.
"""

from __future__ import annotations

from typing import Final

_M_MMAP_THRESHOLD: Final = -3
"""From malloc.h of glibc."""
_MAPPED_BYTES: Final = 256 * 1024


def map_large_buffers() -> bool:
    """Let every block from 256 KiB on have a mapping of its own; False where that is unknown."""
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES))
