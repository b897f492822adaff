# SPDX-License-Identifier: Apache-2.0
"""The forms on the page of a stream: pausing, going on, rebuilding, rolling back."""

from __future__ import annotations

from typing import Any

from okd_payload.controller import actions
from okd_payload.web.pages import deeds
from okd_payload.web.pages.acting import Action, Show, form_routes
from okd_payload.web.pages.deeds import Deed
from okd_payload.web.pages.words import path_part
from okd_payload.web.site import Site

_FORMS: dict[Deed, Action] = {
    deeds.PAUSE: actions.pause,
    deeds.RESUME: actions.resume,
    deeds.REBUILD: actions.rebuild,
    deeds.ROLL_BACK: actions.roll_back,
}


def address_of(name: str) -> str:
    """The page of the stream, where its forms are sent below."""
    return f"/releasestream/{path_part(name)}"


def routes(site: Site, show: Show) -> list[Any]:
    """What the forms are sent to; ``show`` makes the page that says what was not done."""
    return form_routes(site, "/releasestream/{name:str}", _FORMS, address_of=address_of, show=show)
