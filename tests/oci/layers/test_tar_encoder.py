# SPDX-License-Identifier: Apache-2.0
"""Headers as Go writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import UnsafeEntry
from okd_payload.oci.layers.entry import NANOSECONDS, Entry, EntryKind
from okd_payload.oci.layers.tar_encoder import encode_header

FIELDS = {
    "name": (0, 100),
    "mode": (100, 108),
    "uid": (108, 116),
    "gid": (116, 124),
    "mtime": (136, 148),
    "type": (156, 157),
    "magic": (257, 265),
    "devmajor": (329, 337),
    "devminor": (337, 345),
    "prefix": (345, 500),
}
NAMES = st.text(
    alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    min_size=1,
    max_size=300,
)


def dump(block: bytes) -> dict[str, str]:
    """The raw fields of one header, as the recordings have them."""
    raw = {name: block[start:end].decode() for name, (start, end) in FIELDS.items()}
    padded = {"name", "prefix"}
    fields = {k: v.rstrip("\0") if k in padded else v for k, v in raw.items()}
    empty = {"prefix", "devmajor", "devminor"}
    return {k: v for k, v in fields.items() if k not in empty or v.strip("\0")}


def test_recorded_headers_are_reproduced(shared_data: Path) -> None:
    """Long names are split or put into records to the byte as the Go tool does it."""
    folder = shared_data / "oc-golden/cases/naming-long/expected"
    recorded = json.loads((folder / "headers.json").read_text())
    image = json.loads((folder / "image.json").read_text())
    mtime = int(recorded[0]["mtime"].rstrip("\0"), 8) * NANOSECONDS
    written = []
    for line in image["entries"]:
        mode, _, name = line.split(" ")
        is_folder = mode.startswith("d")
        header = encode_header(
            Entry(
                name=name,
                kind=EntryKind.DIRECTORY if is_folder else EntryKind.FILE,
                mode=0o777 if is_folder else 0o444,
                mtime_ns=mtime,
            )
        )
        if len(header) > 512:
            size = int(header[124:135], 8)
            written.append(dump(header) | {"records": header[512 : 512 + size].decode()})
        written.append(dump(header[-512:]))
    assert written == recorded[:-1]


@pytest.mark.parametrize(
    ("length", "records", "prefix"),
    [
        (100, 0, b""),
        (101, 0, b"folder"),
        (107, 0, b"folder"),
        (108, 1, b""),
    ],
)
def test_a_name_is_split_where_it_fits(length: int, records: int, prefix: bytes) -> None:
    """Up to 100 bytes stay whole, a base name of 100 fits behind its folder, more goes to PAX."""
    header = encode_header(Entry(name="folder/".ljust(length, "x")))
    assert header.count(b"path=folder/") == records
    assert header[-512:][345:500].rstrip(b"\0") == prefix


def test_the_last_slash_of_a_folder_is_no_place_to_split() -> None:
    """A folder's own slash stays with its name."""
    header = encode_header(Entry(name="a" * 60 + "/" + "b" * 60 + "/", kind=EntryKind.DIRECTORY))
    assert header[:100].rstrip(b"\0") == b"b" * 60 + b"/"
    assert header[345:500].rstrip(b"\0") == b"a" * 60


@pytest.mark.parametrize(
    ("fields", "record"),
    [
        ({"name": "ä"}, b"11 path=\xc3\xa4\n"),
        ({"link": "x" * 101, "kind": EntryKind.SYMBOLIC_LINK}, b"115 linkpath=xxx"),
        ({"uid": 2**21}, b"15 uid=2097152\n"),
        ({"size": 2**33}, b"19 size=8589934592\n"),
        ({"mtime_ns": -NANOSECONDS}, b"12 mtime=-1\n"),
        ({"uname": "u" * 33}, b"43 uname=uuu"),
        ({"xattrs": {"b": b"\x00", "a": b"1"}}, b"20 SCHILY.xattr.a=1\n20 SCHILY.xattr.b=\0\n"),
    ],
)
def test_only_what_does_not_fit_becomes_a_record(fields: dict[str, Any], record: bytes) -> None:
    """Each field too large or not ASCII has its record; a plain entry has none."""
    entry = Entry(**({"name": "a"} | fields))
    assert record in encode_header(entry)
    assert len(encode_header(Entry(name="a"))) == 512


def test_times_are_rounded_to_seconds() -> None:
    """Fractions are rounded and need no record."""
    header = encode_header(Entry(name="a", mtime_ns=1_500_000_000))
    assert header[136:148] == b"00000000002\0"


def test_a_cut_name_does_not_end_in_a_slash() -> None:
    """A cut name that ended in a slash would be a folder to old readers."""
    header = encode_header(Entry(name="x" * 99 + "/" + "y" * 120))
    assert header[-512:][:100] == b"x" * 99 + b"\0"


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_names_that_no_archive_can_hold_are_refused(name: str) -> None:
    """A NUL, or half a character, cannot be written."""
    with pytest.raises(UnsafeEntry, match="can hold"):
        encode_header(Entry(name=name))


@given(
    st.builds(
        Entry,
        name=NAMES.filter(lambda name: not name.endswith("/")),
        mode=st.integers(0, 0o7777),
        uid=st.integers(0, 2**40),
        gid=st.integers(0, 2**40),
        uname=st.text(alphabet="aü", max_size=40),
        gname=st.text(alphabet="aü", max_size=40),
        mtime_ns=st.integers(-(2**40), 2**40).map(lambda seconds: seconds * NANOSECONDS),
        device=st.tuples(st.integers(0, 2**21 - 1), st.integers(0, 2**21 - 1)),
        xattrs=st.dictionaries(st.text(alphabet="abü.", min_size=1), st.binary()),
    )
)
def test_headers_are_read_as_they_were_meant(seen_in: Callable[..., Any], entry: Entry) -> None:
    """Whatever is written is read again."""
    header = encode_header(entry)
    [found] = seen_in(header).entries
    assert found == Entry(
        **{f: getattr(entry, f) for f in entry.__struct_fields__} | {"position": len(header)}
    )
