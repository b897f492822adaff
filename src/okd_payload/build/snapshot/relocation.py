# SPDX-License-Identifier: Apache-2.0
"""Paths in a snapshot: those of the machine that made it mean nothing elsewhere.

A path below one that is packed begins with a NUL in the document, which no path and no text that
people write can hold; reading puts the folder that the snapshot is unpacked to in its place. So
equal streams give equal documents, in whatever folder they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.build.snapshot.model import FORMAT, SnapshotDocument
from okd_payload.errors import ContentError, InputError

_MARK = "\0"
_MARKED = b'"\\u0000/'


class _Outline(msgspec.Struct):
    format: int = 0
    tool: str = ""


def encode_document(document: SnapshotDocument, places: Mapping[str, str]) -> bytes:
    """``document`` with every path below a key of ``places`` moved to what it stands for.

    Raises InputError for a text that no snapshot can hold.
    """
    ordered = sorted(places.items(), key=lambda pair: -len(pair[0]))
    return msgspec.json.encode(_move(msgspec.to_builtins(document), ordered), order="sorted")


def decode_document(content: bytes, folder: Path, *, tool: str) -> SnapshotDocument:
    """The document in ``content``, of a snapshot that is unpacked to ``folder``.

    Raises InputError when another version than ``tool`` wrote it, and ContentError.
    """
    try:
        outline = msgspec.json.decode(content, type=_Outline)
        if (outline.format, outline.tool) != (FORMAT, tool):
            raise InputError(
                f"the snapshot was made by okd-payload {outline.tool or 'of unknown version'}, "
                f"and this is {tool}",
                hint="use the image of one version for all tasks, or make the snapshot anew",
            )
        here = msgspec.json.encode(f"{folder}/").removesuffix(b'"')
        return msgspec.json.decode(content.replace(_MARKED, here), type=SnapshotDocument)
    except msgspec.MsgspecError as error:
        raise ContentError(
            f"the document of a snapshot is damaged: {error}",
            hint="make the snapshot anew with `okd-payload step snapshot`",
        ) from error


def _move(value: Any, places: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        return _move_text(value, places)
    if isinstance(value, dict):
        return {key: _move(item, places) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_move(item, places) for item in value]
    return value


def _move_text(text: str, places: list[tuple[str, str]]) -> str:
    if _MARK in text:
        raise InputError(
            f"{text[:40]!r} contains a NUL, which no snapshot can hold",
            hint="remove it from the stream",
        )
    if text.startswith("/"):
        for path, place in places:
            if text == path or text.startswith(f"{path}/"):
                return f"{_MARK}/{place}{text[len(path) :]}"
    return text
