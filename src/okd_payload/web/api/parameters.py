# SPDX-License-Identifier: Apache-2.0
"""The parameters that routes share, each with its bounds."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter

from okd_payload.web.api.values import LARGEST_PAGE

_LARGEST_NUMBER = 2**53

Name = FromPath[str]
Text = Annotated[str, QueryParameter(max_length=200)]
NeededText = Annotated[str, QueryParameter(min_length=1, max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str | None, QueryParameter(max_length=1000)]
Number = Annotated[int | None, QueryParameter(ge=0, le=_LARGEST_NUMBER)]
Flag = FromQuery[bool]
Moment = FromQuery[dt.datetime | None]
IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", max_length=1000)]
