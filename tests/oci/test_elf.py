# SPDX-License-Identifier: Apache-2.0
"""Programs say for which machine they are and what they need; anything else is no program."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.oci.elf import Program, architecture_of, read_program

DYNAMIC = Path(shutil.which("ls") or "/bin/ls").resolve()


def make_program(*, wide: bool = True, little: bool = True, machine: int = 62) -> bytes:
    """The smallest program with a loader and two libraries."""
    order = "<" if little else ">"
    word = "Q" if wide else "I"
    texts = b"\0libone.so.1\0libtwo.so\0"
    header_size, entry_size = (64, 56) if wide else (52, 32)
    loader = b"/lib/ld.so\0"
    place = header_size + 3 * entry_size
    strings = place + len(loader)
    dynamic = strings + len(texts)
    pairs = [(5, 0x1000 + strings), (1, 1), (1, 13), (0, 0)]
    entries = b"".join(struct.pack(f"{order}{word.lower()}{word}", *pair) for pair in pairs)

    def segment(kind: int, offset: int, address: int, size: int) -> bytes:
        if wide:
            return struct.pack(f"{order}IIQQQQQQ", kind, 4, offset, address, 0, size, size, 1)
        return struct.pack(f"{order}IIIIIIII", kind, offset, address, 0, size, size, 4, 1)

    whole = dynamic + len(entries)
    identity = b"\x7fELF" + bytes([2 if wide else 1, 1 if little else 2, 1]) + bytes(9)
    header = identity + struct.pack(f"{order}HHI", 3, machine, 1)
    header += struct.pack(f"{order}{word * 3}", 0, header_size, 0)
    header += struct.pack(f"{order}IHHHHHH", 0, header_size, entry_size, 3, 0, 0, 0)
    segments = segment(1, 0, 0x1000, whole) + segment(3, place, 0x1000 + place, len(loader))
    segments += segment(2, dynamic, 0x1000 + dynamic, len(entries))
    return header + segments + loader + texts + entries


@pytest.mark.parametrize(
    ("wide", "little", "machine", "architecture"),
    [
        (True, True, 62, "amd64"),
        (True, True, 183, "arm64"),
        (True, False, 22, "s390x"),
        (True, True, 21, "ppc64le"),
        (False, True, 3, "386"),
        (False, True, 40, "arm"),
        (True, True, 9999, ""),
    ],
)
def test_each_word_size_and_byte_order_is_read(
    *, wide: bool, little: bool, machine: int, architecture: str
) -> None:
    """With the names that images use for machines."""
    content = make_program(wide=wide, little=little, machine=machine)
    assert read_program(io.BytesIO(content)) == Program(
        architecture=architecture, interpreter="/lib/ld.so", needed=("libone.so.1", "libtwo.so")
    )
    assert architecture_of(content) == architecture


def test_a_real_program_needs_what_its_loader_says() -> None:
    """As ``ldd`` lists it, which asks the loader itself."""
    with DYNAMIC.open("rb") as file:
        program = read_program(file)
    assert program is not None
    listed = subprocess.run(("ldd", str(DYNAMIC)), check=True, capture_output=True, text=True)
    assert program.interpreter in listed.stdout
    assert program.needed
    assert all(name in listed.stdout for name in program.needed)


@given(st.data())
def test_a_damaged_program_is_still_read_or_none(data: st.DataObject) -> None:
    """Cut short anywhere, with any bytes changed: never an error."""
    content = bytearray(make_program(wide=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    found = read_program(io.BytesIO(cut))
    assert found is None or isinstance(found.needed, tuple)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_program_or_not(content: bytes) -> None:
    """Text, nothing, anything."""
    assert read_program(io.BytesIO(content)) is None or content.startswith(b"\x7fELF")
