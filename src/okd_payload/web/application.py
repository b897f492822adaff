# SPDX-License-Identifier: Apache-2.0
"""The application: all routes, and what every answer has in common.

Pages may load nothing from anywhere but here, run no script that is not a file of ours, and be
put into no frame; what stands in logs and manifests is text, whatever it looks like.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from litestar import Litestar
from litestar.datastructures import ResponseHeader
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from okd_payload import __version__
from okd_payload.web.access.auditing import make_audit
from okd_payload.web.access.guard import make_guard
from okd_payload.web.events.delivering import deliver_beside
from okd_payload.web.keeping import make_keeping
from okd_payload.web.problems import SAFE_HEADERS, answer_error
from okd_payload.web.site import Site

PARTS = (
    "health",
    "api",
    "events",
    "graph",
    "compatibility",
    "pages",
    "feeds",
    "metrics",
    "downloads",
)
"""The packages with routes, each in its module ``routes``."""
_FOR_PEOPLE = "pages"
PROBES = ("health", "metrics")
"""Those of a process that shows nothing to people."""

_LARGEST_REQUEST = 1 << 20


def make_application(site: Site, *, parts: Sequence[str] | None = None) -> Litestar:
    """Everything that ``site`` serves, or the named ``parts`` of it."""
    handlers: list[Any] = []
    answer: Any = answer_error
    for part in PARTS if parts is None else parts:
        module = importlib.import_module(f"okd_payload.web.{part}.routes")
        handlers += module.routes(site)
        if part == _FOR_PEOPLE:
            answer = module.make_teller(site)
    return Litestar(
        route_handlers=handlers,
        guards=[make_guard(site)],
        middleware=[make_audit(site), make_keeping(site)],
        exception_handlers={Exception: answer},
        response_headers=[
            ResponseHeader(name=name, value=text) for name, text in SAFE_HEADERS.items()
        ],
        openapi_config=OpenAPIConfig(
            title="okd-payload",
            version=__version__,
            path="/api/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin()],
            components=Components(
                security_schemes={
                    "token": SecurityScheme(
                        type="http",
                        scheme="bearer",
                        description="A token of `okd-payload controller token create`.",
                    )
                }
            ),
        ),
        request_max_body_size=_LARGEST_REQUEST,
        logging_config=None,  # the command line's affair
        lifespan=deliver_beside(site),
        debug=False,
    )
