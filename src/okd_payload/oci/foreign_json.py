# SPDX-License-Identifier: Apache-2.0
"""JSON that others wrote, decoded into types as the Go programs that wrote it would.

In Go a ``null`` leaves a field as it was, so null means absent: ``"Labels": null`` is no
labels. Documents without such nulls, nearly all, are decoded in one pass. Whatever bytes come,
only ContentError leaves this module.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from okd_payload.errors import ContentError

T = TypeVar("T")


def decode_json(content: bytes, kind: type[T], *, what: str) -> T:
    """``content`` as a ``kind``; ``what`` names the document in errors. Raises ContentError."""
    try:
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.ValidationError:
            strict = msgspec.json.encode(_without_nulls(msgspec.json.decode(content)))
            return msgspec.json.decode(strict, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContentError(
            f"{what} is damaged: {error}",
            hint="the program that wrote it is at fault; build or push the image again",
        ) from error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
