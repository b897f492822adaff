# SPDX-License-Identifier: Apache-2.0
"""Why an operator does not load a payload."""

from __future__ import annotations

from typing import Final

import msgspec

from okd_payload.errors import ReleaseError

INTEGRITY: Final = "UpdatePayloadIntegrity"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's words, and the reason that it reports, empty where it gives none."""

    message: str
    reason: str = ""
    warnings: tuple[str, ...] = ()
    """What it logged before."""


class UnusableMetadata(ReleaseError):
    """The files about a release are not what the operator can load; the message is its own."""

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line
