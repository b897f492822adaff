# SPDX-License-Identifier: Apache-2.0
"""All routes of the old interface that are not pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Router

from okd_payload.web.compatibility import (
    candidate_routes,
    changelog_routes,
    configured,
    lists,
    others,
    release_info,
    tags,
)
from okd_payload.web.compatibility.answers import Refusal, answer_refusal
from okd_payload.web.compatibility.changelogs import Changelogs
from okd_payload.web.site import Site


def routes(site: Site) -> Sequence[Any]:
    """The routes, which refuse in the words of the old controller."""
    changelogs = Changelogs(site)
    handlers = [
        *tags.routes(site),
        *lists.routes(site),
        *configured.routes(site),
        *release_info.routes(site, changelogs),
        *changelog_routes.routes(site, changelogs),
        *candidate_routes.routes(site),
        *others.routes(site),
    ]
    return [Router(path="/", route_handlers=handlers, exception_handlers={Refusal: answer_refusal})]
