# SPDX-License-Identifier: Apache-2.0
"""What servers report that carry out runs for the controller.

The route judges by itself who may come: not somebody with a role, but whoever has the token of
the one run, which the controller gave to its server and to nobody else.
"""

from __future__ import annotations

from typing import Any

from litestar import post
from litestar.exceptions import NotAuthorizedException
from litestar.params import JSONBody

from okd_payload.controller.actions.reports import WrongToken, report_run
from okd_payload.controller.verification.runners.webhook import RunReport
from okd_payload.web.access.guard import OPEN
from okd_payload.web.api.actions import Asked
from okd_payload.web.api.answers import RunAnswer, tell_run
from okd_payload.web.api.parameters import Name
from okd_payload.web.api.problems import WRITING
from okd_payload.web.site import Site

_SCHEME = "bearer"


def routes(site: Site) -> list[Any]:
    """Reporting results."""

    @post(
        "/runs/{run_id:str}/result",
        status_code=200,
        opt=OPEN,
        responses=WRITING,
        tags=["runs"],
        operation_id="reportRun",
        security=[{"token": []}],
    )
    async def report(*, request: Asked, run_id: Name, data: JSONBody[RunReport]) -> RunAnswer:
        """Say how far a run is that a webhook was told of. Needs the token of that run."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != _SCHEME:
            token = ""
        try:
            run = await report_run(site.surroundings, run_id, token=token.strip(), report=data)
        except WrongToken as error:
            raise NotAuthorizedException(
                error.message, headers={"WWW-Authenticate": 'Bearer realm="okd-payload run"'}
            ) from error
        return tell_run(run)

    return [report]
