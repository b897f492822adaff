# SPDX-License-Identifier: Apache-2.0
"""Telling for which machine programs are."""

from __future__ import annotations

import asyncio
import io
import platform
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from okd_payload.build.programs import architectures_of

_HERE = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x"}


def _header(word_size: int, order: int, machine: bytes) -> bytes:
    return b"\x7fELF" + bytes([word_size, order, 1]) + bytes(9) + b"\2\0" + machine


async def _archive(*files: bytes) -> AsyncIterator[bytes]:
    """A tar of these files, in small pieces."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for number, text in enumerate(files):
            header = tarfile.TarInfo(f"file{number}")
            header.size = len(text)
            archive.addfile(header, io.BytesIO(text))
    content.seek(0)
    while piece := content.read(7):
        yield piece


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([_header(2, 1, b"\x3e\0")], {"amd64"}),
        ([_header(2, 1, b"\xb7\0")], {"arm64"}),
        ([_header(2, 1, b"\x15\0")], {"ppc64le"}),
        ([_header(2, 2, b"\0\x15")], {"ppc64"}),
        ([_header(2, 2, b"\0\x16")], {"s390x"}),
        (
            [_header(1, 1, b"\x28\0"), b"#!/bin/sh\n" * 3, _header(2, 1, b"\x3e\0")],
            {"arm", "amd64"},
        ),
        ([b"#!/bin/sh\nexec true; true\n", _header(2, 1, b"\x3e\0")[:19], b""], set()),
        ([_header(2, 1, b"\xff\xff"), _header(9, 7, b"\x3e\0")], set()),
    ],
)
async def test_the_first_bytes_of_programs_tell(files: list[bytes], found: set[str]):
    """Programs of unknown machines, scripts and what is cut short tell nothing."""
    assert await architectures_of(_archive(*files)) == found


def test_a_program_of_this_machine():
    """What runs this test is for this machine."""
    program = Path(sys.executable).resolve().read_bytes()[:4096]
    assert asyncio.run(architectures_of(_archive(program))) == {_HERE[platform.machine()]}
