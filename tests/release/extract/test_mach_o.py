# SPDX-License-Identifier: Apache-2.0
"""Programs for macOS that were changed get a signature that fits them."""

from __future__ import annotations

import hashlib
import struct
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from okd_payload.release.extract.mach_o import AdHocSigner, signature_size


def sign(chunks):
    """What a signer makes of ``chunks``, and the signer."""
    signer = AdHocSigner()
    return b"".join([*map(signer.feed, chunks), signer.finish()]), signer


def verify(program, limit):
    """Check a signature by the structures of XNU's cs_blobs.h, as macOS would."""
    blob = program[limit:]
    magic, length, count, slot, offset = struct.unpack_from(">5I", blob)
    assert (magic, length, count, slot) == (0xFADE0CC0, len(blob), 1, 0)
    directory = blob[offset:]
    fields = struct.unpack_from(">9I4B4I4Q", directory)
    magic, length, version, flags, hashes, name, special, pages, code_limit = fields[:9]
    hash_size, hash_kind, platform, page_shift = fields[9:13]
    assert (magic, length) == (0xFADE0C02, len(directory))
    assert (version, flags, special, code_limit) == (0x20400, 0x20002, 0, limit)
    assert (hash_size, hash_kind, platform, page_shift) == (32, 2, 0, 12)
    assert fields[17:] == (0, 0, 4096, 1), "codeLimit64, then offset, size, flags of the text"
    assert directory[name : directory.index(b"\0", name)] == b"a.out"
    starts = range(0, limit, 4096)
    assert pages == len(starts)
    wanted = [hashlib.sha256(program[at : min(at + 4096, limit)]).digest() for at in starts]
    assert directory[hashes:] == b"".join(wanted)


@pytest.mark.parametrize("size", [0, 1, 4096 - 200, 4096, 10_000, 70_001])
def test_the_new_signature_fits(make_mach_o, size):
    """Every page of the program has its hash in a signature that takes the place of the old."""
    program = make_mach_o(bytes(index % 251 for index in range(size)))
    signed, signer = sign([program])
    limit = len(program) - signature_size_of(program)
    assert signer.problem == ""
    assert signed[:limit] == program[:limit]
    assert len(signed) == len(program)
    verify(signed, limit)


def signature_size_of(program):
    """The size of the signature that the load command tells."""
    return struct.unpack_from("<I", program, 32 + 24 + 72 + 12)[0]


@given(st.binary(max_size=9000), st.lists(st.integers(0, 20_000), max_size=6))
@example(b"", [1, 31, 32, 33, 120, 144])
def test_any_chunking_gives_the_same_bytes(make_mach_o, code, cuts):
    """However a program is cut, its signature is the same."""
    program = make_mach_o(code)
    places = sorted({min(cut, len(program)) for cut in cuts} | {0, len(program)})
    chunks = [program[start:end] for start, end in pairwise(places)]
    assert sign(chunks)[0] == sign([program])[0]


def test_signing_twice_changes_nothing(make_mach_o):
    """The signature is a function of the program."""
    once, _ = sign([make_mach_o(b"code" * 3000)])
    assert sign([once])[0] == once


def test_bytes_behind_the_signature_stay(make_mach_o):
    """Only the signature is replaced."""
    signed, _ = sign([make_mach_o(b"code") + b"more"])
    assert signed.endswith(b"more")


def test_a_program_that_ends_in_its_signature_keeps_its_size(make_mach_o):
    """A file that is cut short gets no longer."""
    program = make_mach_o(b"code" * 3000)[:-100]
    assert len(sign([program])[0]) == len(program)


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        (b"", "ended before"),
        (b"\x7fELF" + bytes(100), "no 64-bit Mach-O"),
        (b"\xca\xfe\xba\xbe" + bytes(100), "no 64-bit Mach-O"),
        (struct.pack("<IiiIIIII", 0xFEEDFACF, 0, 0, 2, 1, 2**31, 0, 0), "no 64-bit Mach-O"),
        (struct.pack("<IiiIIIII", 0xFEEDFACF, 0, 0, 2, 9, 8, 0, 0) + bytes(50), "no code"),
        (struct.pack("<IiiIIIII", 0xFEEDFACF, 0, 0, 2, 0, 0, 0, 0) + bytes(50), "no code"),
    ],
)
def test_other_files_pass_unchanged(program, problem):
    """What is no signed program stays as it is, and it is told why."""
    signed, signer = sign([program])
    assert signed == program
    assert problem in signer.problem


def test_a_signature_of_somebody_is_not_replaced(make_mach_o):
    """A signature with a key has another size, and nobody here has the key."""
    program = make_mach_o(b"code", signature=b"s" * 9000)
    signed, signer = sign([program])
    assert signed == program
    assert "not made by Go's linker" in signer.problem


@given(st.binary(max_size=400))
def test_random_load_commands_are_survived(body):
    """Whatever stands where load commands should be, the size stays and nothing is raised."""
    program = struct.pack("<IiiIIIII", 0xFEEDFACF, 0, 0, 2, 7, len(body) // 2, 0, 0) + body
    assert len(sign([program])[0]) == len(program)


@given(st.lists(st.tuples(st.sampled_from([0x19, 0x1D, 0x1B]), st.binary(max_size=80)), max_size=6))
def test_random_commands_of_the_known_kinds_are_survived(commands):
    """Fields of load commands may hold anything."""
    listed = b"".join(struct.pack("<II", kind, 8 + len(body)) + body for kind, body in commands)
    head = struct.pack("<IiiIIIII", 0xFEEDFACF, 0, 0, 2, len(commands), len(listed), 0, 0)
    program = head + listed + bytes(5000)
    assert len(sign([program])[0]) == len(program)


def test_the_size_is_that_of_the_linker():
    """The size of a real program's signature, as Go's linker wrote it."""
    assert signature_size(3_365_280) == 26_418
