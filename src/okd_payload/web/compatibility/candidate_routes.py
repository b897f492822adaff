# SPDX-License-Identifier: Apache-2.0
"""Which release of a stream could be promoted next, as section 3.4 of our reference has it.

What is found is decided in ``graph.candidates``; a stream of which nothing was ever promoted has
null, and so has one that is promoted to. Of the tag that the old list holds only what a release
has here is shown: there is no image stream behind it.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import FromPath, QueryParameter

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.configuration.openshift import written_fields
from okd_payload.controller.graph.candidates import Candidate
from okd_payload.controller.views.candidates import read_candidates
from okd_payload.release.times import format_time
from okd_payload.web.compatibility.answers import HTML, TEXT, Answer, encode, send_json
from okd_payload.web.compatibility.tags import find_stream
from okd_payload.web.reading import read
from okd_payload.web.site import Site


class ShownCandidate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A release that could be promoted."""

    from_tag: str
    name: str
    upgrade_from: tuple[str, ...] = ()


class BestCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """The newest of them; null where there is none."""

    candidate: ShownCandidate | None


class ShownTag(msgspec.Struct, frozen=True, kw_only=True):
    """The release as a tag of an image stream, as far as it is one here."""

    name: str
    annotations: dict[str, str]


class ListedCandidate(ShownCandidate, frozen=True, kw_only=True, rename="camel"):
    """One in the list of all."""

    creation_time: str
    tag: ShownTag


class CandidateList(msgspec.Struct, frozen=True, kw_only=True):
    """All of a stream; null where nothing of it was ever promoted."""

    items: tuple[ListedCandidate, ...] | None


def routes(site: Site) -> Sequence[Any]:
    """The best candidate, and all of them for programs and people."""

    @read("/api/v1/releasestream/{stream:str}/candidate", include_in_schema=False)
    async def candidate(stream: FromPath[str]) -> Answer:
        """The newest candidate."""
        found = await _find(site, find_stream(site, stream))
        best = ShownCandidate(**_fields(found[0])) if found else None
        return send_json(BestCandidate(candidate=best))

    @read("/releasestream/{stream:str}/candidates", include_in_schema=False)
    async def candidates(
        stream: FromPath[str], form: Annotated[str, QueryParameter(name="format")] = ""
    ) -> Answer:
        """All candidates: a page, or JSON."""
        found = await _find(site, find_stream(site, stream))
        if form == "json":
            listed = CandidateList(items=None if found is None else tuple(map(_list, found)))
            return Response(encode({stream: listed}, indent=2), media_type=TEXT)
        return Response(_page(stream, found or ()).encode(), media_type=HTML)

    return [candidate, candidates]


async def _find(site: Site, configuration: StreamConfiguration) -> list[Candidate] | None:
    """The candidates of a stream; a stable one is promoted to, and has none."""
    if configuration.kind is StreamKind.STABLE or configuration.end_of_life:
        return None
    known = site.surroundings.configurations()
    stable = [name for name, each in known.items() if each.kind is StreamKind.STABLE]
    prefix = written_fields(configuration).mirror_prefix  # what it calls frozen images
    return await site.ask(read_candidates, configuration.name, stable, mirror_prefix=prefix)


def _fields(found: Candidate) -> dict[str, Any]:
    return {
        "from_tag": found.release.name,
        "name": found.name,
        "upgrade_from": found.upgrade_from,
    }


def _list(found: Candidate) -> ListedCandidate:
    release = found.release
    created = format_time(dt.datetime.fromtimestamp(int(release.created), tz=dt.UTC))
    annotations = {
        "release.openshift.io/creationTimestamp": created,
        "release.openshift.io/hash": release.input_hash,
        "release.openshift.io/name": release.stream,
        "release.openshift.io/phase": release.phase.value,
    }
    return ListedCandidate(
        **_fields(found),
        creation_time=created,
        tag=ShownTag(name=release.name, annotations=annotations),
    )


def _page(stream: str, found: Sequence[Candidate]) -> str:
    title = f"Candidates of {stream} for {found[0].name if found else 'the next release'}"
    rows = "".join(
        f'<li><a href="/releasestream/{html.escape(each.release.stream)}/release/'
        f'{html.escape(each.release.name)}">{html.escape(each.release.name)}</a>'
        f" from {html.escape(', '.join(each.upgrade_from) or 'nowhere that was tested')}</li>\n"
        for each in found
    )
    listed = f"<ul>\n{rows}</ul>" if rows else "<p>There is none.</p>"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title></head>\n<body>\n<h1>{html.escape(title)}</h1>\n"
        f"{listed}\n</body>\n</html>\n"
    )
