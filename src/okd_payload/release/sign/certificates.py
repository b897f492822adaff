# SPDX-License-Identifier: Apache-2.0
"""Public keys as they are put into key rings: split, told apart, and armoured once.

The packets stay as they were given. OpenPGP libraries like to sort signatures when they write a
key, newest first; a cluster goes by the last one, so sorting may change what a key is allowed to.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.documents.files import read_file
from okd_payload.errors import InvalidDocument
from okd_payload.signing.detached import EXPORT_HINT

MAX_KEYS_BYTES = 4 * 1024 * 1024


class PublicKeyBytes(msgspec.Struct, frozen=True, kw_only=True):
    """One key with all that belongs to it, as packets."""

    fingerprint: str
    """Of the primary key, in capital hexadecimal digits."""
    content: bytes


def read_key_file(path: Path) -> list[PublicKeyBytes]:
    """The keys in the file at ``path``. Raises InvalidDocument."""
    return split_keys(read_file(path, limit=MAX_KEYS_BYTES), path=str(path))


def split_keys(content: bytes, *, path: str) -> list[PublicKeyBytes]:
    """The keys in ``content``, armoured or not. Raises InvalidDocument.

    A secret key is refused: everybody who has a release can read what is in it.
    """
    from pysequoia.packet import PacketPile, Tag

    try:
        packets = list(PacketPile.from_bytes(content))
    except RuntimeError as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InvalidDocument(
            f"not an OpenPGP key: {reason}",
            path=path,
            hint=EXPORT_HINT,
        ) from error
    keys: list[tuple[str, list[bytes]]] = []
    for packet in packets:
        if packet.tag in (Tag.SecretKey, Tag.SecretSubkey):
            raise InvalidDocument(
                "a secret key, and releases are public",
                path=path,
                hint=EXPORT_HINT,
            )
        if packet.tag == Tag.PublicKey:
            keys.append(((packet.fingerprint or "").upper(), []))
        if keys:
            keys[-1][1].append(bytes(packet))
    if not keys:
        raise InvalidDocument("the file has no OpenPGP key", path=path, hint=EXPORT_HINT)
    return [
        PublicKeyBytes(fingerprint=fingerprint, content=b"".join(parts))
        for fingerprint, parts in keys
    ]


def armour_keys(keys: Iterable[PublicKeyBytes]) -> str:
    """``keys`` in one armoured block: clusters read only the first block of an entry."""
    from pysequoia import ArmorKind, armor

    text = armor(b"".join(key.content for key in keys), ArmorKind.PublicKey)
    return "\n".join(text.splitlines()) + "\n"
