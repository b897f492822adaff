# SPDX-License-Identifier: Apache-2.0
"""What every answer is made of: moments, pages and places in them."""

from __future__ import annotations

import base64
import binascii
import datetime as dt

import msgspec
from msgspec import UNSET, UnsetType

from okd_payload.controller.views.listing import Place
from okd_payload.errors import InputError

LARGEST_PAGE = 200


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of everything that is answered."""


def moment(seconds: float) -> dt.datetime:
    """Seconds since the epoch, as answers have moments."""
    return dt.datetime.fromtimestamp(round(seconds, 3), tz=dt.UTC)


def known_moment(seconds: float | None) -> dt.datetime | UnsetType:
    """The same for what may not have happened: then the field is left out."""
    return UNSET if seconds is None else moment(seconds)


def write_place(place: Place | None) -> str | UnsetType:
    """The text by which the next page is asked for; left out on the last."""
    if place is None:
        return UNSET
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_place(text: str | None) -> Place | None:
    """The place that ``write_place`` wrote. Raises InputError."""
    if text is None:
        return None
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(content, type=Place)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise InputError(
            "there is no such page", hint="take what a page gives as next, unchanged"
        ) from error
