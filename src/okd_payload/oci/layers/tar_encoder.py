# SPDX-License-Identifier: Apache-2.0
"""Headers of entries, exactly as Go's ``archive/tar`` writes them.

The payloads that the field's Go tools write are compared byte by byte with ours, and Python's
``tarfile`` differs: here a folder's name gets no slash of its own, numbers are zero-padded octal,
device numbers too, a long name is split at its last possible slash, and only what fits neither
goes into PAX records.
"""

from __future__ import annotations

import functools

from okd_payload.errors import UnsafeEntry
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.tar_header import CHECKSUM, LAYOUT, USTAR, XATTR, padding_of

_NAME_BYTES, _PREFIX_BYTES, _OWNER_BYTES = 100, 155, 32


def encode_header(entry: Entry) -> bytes:
    """The header of ``entry``, with a PAX header before it where that is needed.

    Modification times are whole seconds. Raises UnsafeEntry for a name that no archive can hold.
    """
    name, link = _encode_text(entry.name), _encode_text(entry.link)
    records, split = _records_needed(entry, name, link)
    prefix, base = split
    block = _encode_block(
        name=base,
        mode=entry.mode,
        owner=(entry.uid, entry.gid),
        size=entry.size,
        mtime=entry.rounded_mtime,
        flag=entry.kind.value,
        link=_ascii(link),
        owner_names=(_ascii(_encode_text(entry.uname)), _ascii(_encode_text(entry.gname))),
        devices=(_octal(entry.device[0], 8), _octal(entry.device[1], 8)),
        prefix=prefix,
    )
    return _encode_records(name, records) + block if records else block


def _records_needed(
    entry: Entry, name: bytes, link: bytes
) -> tuple[dict[str, bytes], tuple[bytes, bytes]]:
    """PAX records for whatever the block cannot hold, and prefix and name for the block."""
    split = _split_name(name)
    texts = {
        "linkpath": (link, _NAME_BYTES),
        "uname": (_encode_text(entry.uname), _OWNER_BYTES),
        "gname": (_encode_text(entry.gname), _OWNER_BYTES),
    }
    numbers = {
        "uid": (entry.uid, 8),
        "gid": (entry.gid, 8),
        "size": (entry.size, 12),
        "mtime": (entry.rounded_mtime, 12),
    }
    records = {} if split else {"path": name}
    records |= {
        key: text for key, (text, size) in texts.items() if len(text) > size or not text.isascii()
    }
    records |= {
        key: b"%d" % number
        for key, (number, size) in numbers.items()
        if not 0 <= number < 8 ** (size - 1)
    }
    records |= {XATTR + key: value for key, value in entry.xattrs.items()}
    return records, split or (b"", _ascii(name))


def _split_name(name: bytes) -> tuple[bytes, bytes] | None:
    """Prefix and name for a block, None where they do not fit one."""
    if not name.isascii():
        return None
    if len(name) <= _NAME_BYTES:
        return b"", name
    length = min(len(name), _PREFIX_BYTES + 1)
    if length == len(name) and name.endswith(b"/"):
        length -= 1
    slash = name.rfind(b"/", 0, length)
    prefix, base = name[:slash], name[slash + 1 :]
    return (prefix, base) if slash > 0 and 0 < len(base) <= _NAME_BYTES else None


def _encode_records(name: bytes, records: dict[str, bytes]) -> bytes:
    """A PAX header entry, named after the entry that it belongs to."""
    data = b"".join(
        _encode_record(_encode_text(key), value) for key, value in sorted(records.items())
    )
    folder, _, base = name.rpartition(b"/")
    own_name = b"/".join(part for part in (folder, b"PaxHeaders.0", base) if part)
    block = _encode_block(
        name=_ascii(own_name)[:_NAME_BYTES].rstrip(b"/"), size=len(data), flag=b"x"
    )
    return block + data + bytes(padding_of(len(data)))


def _encode_record(key: bytes, value: bytes) -> bytes:
    body = b" %b=%b\n" % (key, value)
    length = len(body) + len(str(len(body)))
    if len(str(length)) != len(str(len(body))):
        length += 1
    return b"%d" % length + body


def _encode_block(
    *,
    name: bytes,
    mode: int = 0,
    owner: tuple[int, int] = (0, 0),
    size: int,
    mtime: int = 0,
    flag: bytes,
    link: bytes = b"",
    owner_names: tuple[bytes, bytes] = (b"", b""),
    devices: tuple[bytes, bytes] = (b"", b""),
    prefix: bytes = b"",
) -> bytes:
    if len(name) > _NAME_BYTES and name[_NAME_BYTES - 1 : _NAME_BYTES] == b"/":
        name = name[:_NAME_BYTES].rstrip(b"/")
    block = bytearray(
        LAYOUT.pack(
            name,
            _octal(mode, 8),
            _octal(owner[0], 8),
            _octal(owner[1], 8),
            _octal(size, 12),
            _octal(mtime, 12),
            b" " * 8,
            flag,
            link,
            USTAR,
            *owner_names,
            *devices,
            prefix,
            b"",
        )
    )
    block[CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


@functools.lru_cache(maxsize=1024)
def _octal(value: int, size: int) -> bytes:
    """Zero-padded octal with a final NUL; what does not fit is 0 and stands in a record."""
    fits = 0 <= value < 8 ** (size - 1)
    return b"%0*o\0" % (size - 1, value if fits else 0)


def _encode_text(text: str) -> bytes:
    try:
        data = text.encode(errors="surrogateescape")
    except UnicodeEncodeError as error:
        raise UnsafeEntry(f"{text!r} is no text that an archive can hold") from error
    if b"\0" in data:
        raise UnsafeEntry(f"{text!r} contains a NUL, which no archive can hold")
    return data


def _ascii(data: bytes) -> bytes:
    """Best effort for readers that do not know PAX: other characters are left out."""
    return data if data.isascii() else bytes(byte for byte in data if byte < 0x80)
