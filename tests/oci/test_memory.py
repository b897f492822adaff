# SPDX-License-Identifier: Apache-2.0
"""Memory of large buffers goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import re, sys
from pathlib import Path
from okd_payload.oci.memory import map_large_buffers

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

if sys.argv[1] == "mapped":
    assert map_large_buffers()
first = b"x" * 8_000_000
del first
before = resident()
blocks = [b"x" * 300_000 for _ in range(100)]
last = b"x" * 300_000
del blocks
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
@pytest.mark.parametrize(("way", "returns"), [("mapped", True), ("usual", False)])
def test_freed_buffers_do_not_stay_resident(way, returns):
    """Buffers below one that is still used go back to the system, which they usually do not."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, way], check=True, capture_output=True, text=True
    )
    assert (int(done.stdout) < 2000) == returns
