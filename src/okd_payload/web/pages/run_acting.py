# SPDX-License-Identifier: Apache-2.0
"""The form on the page of a manual run: how it went."""

from __future__ import annotations

from typing import Any

from okd_payload.controller import actions
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError
from okd_payload.web.pages.acting import Show, form_routes
from okd_payload.web.pages.deeds import FINISH
from okd_payload.web.pages.words import path_part
from okd_payload.web.site import Site

_PASSED = "passed"
_OUTCOMES = (_PASSED, "failed")


def address_of(name: str) -> str:
    """The page of the run, where its form is sent below."""
    return f"/run/{path_part(name)}"


def routes(site: Site, show: Show) -> list[Any]:
    """What the form is sent to; ``show`` makes the page that says what was not done."""
    return form_routes(site, "/run/{name:str}", {FINISH: _finish}, address_of=address_of, show=show)


async def _finish(
    surroundings: Surroundings, run: str, *, outcome: str, actor: str, reason: str
) -> None:
    """Say how it went."""
    if outcome not in _OUTCOMES:
        raise InputError("that says nothing of how it went", hint="it passed or it failed")
    await actions.finish_run(
        surroundings, run, succeeded=outcome == _PASSED, actor=actor, reason=reason
    )
