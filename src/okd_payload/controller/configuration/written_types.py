# SPDX-License-Identifier: Apache-2.0
"""Kinds of values that several parts of a release stream's file have."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from okd_payload.catalog.fields import whole
from okd_payload.controller.configuration.durations import PATTERN

Duration = Annotated[
    str, Meta(pattern=whole(PATTERN), description="a duration: 72h, 1h30m, 3d; 0 for none")
]
Count = Annotated[int, Meta(ge=0, description="a number, at least 0")]
Positive = Annotated[int, Meta(ge=1, description="a number, at least 1")]
Globs = Annotated[tuple[str, ...], Meta(description="names or globs of tags")]
