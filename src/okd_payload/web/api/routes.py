# SPDX-License-Identifier: Apache-2.0
"""All routes of the interface below its one path."""

from __future__ import annotations

from typing import Any

from litestar import Router

from okd_payload.web.api import (
    actions,
    administration,
    changes,
    history,
    notifications,
    publishing,
    releases,
    reports,
    runs,
    streams,
    uses,
    webhooks,
)
from okd_payload.web.api.conditional import tag_answers
from okd_payload.web.site import Site

PATH = "/api/v2"
_PARTS = (
    streams,
    releases,
    changes,
    runs,
    reports,
    history,
    actions,
    administration,
    webhooks,
    notifications,
    publishing,
    uses,
)


def routes(site: Site) -> list[Any]:
    """The interface."""
    handlers = [handler for part in _PARTS for handler in part.routes(site)]
    return [Router(PATH, route_handlers=handlers, middleware=[tag_answers])]
