# SPDX-License-Identifier: Apache-2.0
"""The page about the old interface has every route of it, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from litestar import Litestar

from okd_payload.web.application import make_application
from okd_payload.web.site import Site

DOCUMENT = Path(__file__).parents[3] / "docs/reference/old-interface.md"
GONE = {"/features/{}", "/releasestream/{}/qualifier/{}"}
"""Refused by having no route."""


def documented() -> dict[str, str]:
    """What the page says of each address."""
    rows = re.findall(r"^\| `(/[^`]*)` \| (\w+) \|(.*)\|$", DOCUMENT.read_text(), re.MULTILINE)
    for address, word, reason in rows:
        assert word in {"same", "better", "refused"}, address
        assert word != "refused" or reason.strip(), address
    return {re.sub(r"{[^}]*}", "{}", address): word for address, word, _ in rows}


def addresses(application: Litestar) -> set[str]:
    """The addresses of all routes."""
    return {re.sub(r"{[^}]*}", "{}", route.path) for route in application.routes}


def test_every_address_is_there(site: Site) -> None:
    """Same or better is answered; what is refused has a route that says so, or none."""
    there = addresses(make_application(site))
    assert set(documented()) - there == GONE


def test_every_route_of_the_old_interface_is_documented(site: Site) -> None:
    """Also those that lead elsewhere."""
    ours = addresses(make_application(site, parts=("graph", "compatibility")))
    openapi = {path for path in ours if path.startswith("/api/schema")}
    assert ours - openapi - set(documented()) == set()
