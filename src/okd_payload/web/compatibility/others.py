# SPDX-License-Identifier: Apache-2.0
"""Addresses of the old controller that have become others, and what nobody configures.

Qualifiers are badges of Red Hat's teams, and the public list of them is empty: a release has none
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar.params import FromPath, QueryParameter

from okd_payload.controller.records import releases
from okd_payload.documents.go_quote import quote
from okd_payload.web.compatibility.answers import Answer, Refusal, redirect, send_json
from okd_payload.web.reading import read
from okd_payload.web.site import Site


def routes(site: Site) -> Sequence[Any]:
    """All of them."""
    options: dict[str, Any] = {"include_in_schema": False}

    @read("/api/v1/releasetag/{tag:str}/qualifiers", **options)
    async def qualifiers(tag: FromPath[str]) -> Answer:
        """Null: a release has no qualifiers."""
        if await site.ask(releases.find, tag) is None:
            raise Refusal(404, f"No release payload found for tag {quote(tag)}")
        return send_json(None)

    @read("/api/v1/releasestream/{stream:str}/qualifier/{name:str}/config", **options)
    async def qualifier(stream: FromPath[str], name: FromPath[str]) -> Answer:
        """None is configured."""
        raise Refusal(
            404, f"No payload found for qualifier {quote(name)} in stream {quote(stream)}"
        )

    @read("/dashboards/overview", **options)
    async def overview() -> Answer:
        """The overview is the first page."""
        return redirect("/")

    @read("/dashboards/compare", **options)
    async def compare(
        source: Annotated[str, QueryParameter(name="from")] = "",
        target: Annotated[str, QueryParameter(name="to")] = "",
    ) -> Answer:
        """Any two releases are compared on a page of their own."""
        return redirect("/compare?" + urlencode({"from": source, "to": target}))

    @read("/releasestream/{stream:str}/inconsistency/{tag:str}", **options)
    async def inconsistency(stream: FromPath[str], tag: FromPath[str]) -> Answer:
        """What is wrong with the images stands on the page of the stream."""
        if stream not in site.surroundings.configurations():
            raise Refusal(404, f"Unable to find release {stream}")
        if await site.ask(releases.find, tag) is None:
            raise Refusal(404, f"could not find an image stream with the tag {tag}")
        return redirect(f"/releasestream/{stream}")

    return [qualifiers, qualifier, overview, compare, inconsistency]
