# SPDX-License-Identifier: Apache-2.0
"""Routes that only read: by GET, and by HEAD for whoever wants to know without getting it."""

from __future__ import annotations

import functools

from litestar import route

read = functools.partial(route, http_method=["GET", "HEAD"])
"""As ``litestar.get``, with HEAD."""
