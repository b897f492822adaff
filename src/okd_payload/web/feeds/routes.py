# SPDX-License-Identifier: Apache-2.0
"""``/feeds/all.atom`` and ``/feeds/STREAM.atom``: decided releases, and what changed in them.

Identities hold for good, by whatever name the server is asked: a release that is decided anew is
an entry of its own, and none is told twice.
"""

from __future__ import annotations

import urllib.parse
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import FromQuery, PathParameter

from okd_payload.controller.model import Phase, Release
from okd_payload.controller.views.news import DECIDED, News, read_news
from okd_payload.errors import InputError, UnknownName
from okd_payload.web.api.conditional import tag_answers
from okd_payload.web.feeds.atom import Entry, Feed, write_feed
from okd_payload.web.keeping import KEPT
from okd_payload.web.reading import read
from okd_payload.web.site import Site

FeedName = Annotated[str, PathParameter(max_length=260)]
_ALL = "all"
_SUFFIX = ".atom"
_MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_MOST_CHANGES = 50
_OURS = uuid.UUID("6f6b6470-6179-5c6f-8164-2d6174306d21")
"""The space of names of our identities: changing it would tell every reader everything anew."""


def routes(site: Site) -> list[Any]:
    """The feeds."""

    @read("/feeds/{name:str}", include_in_schema=False, middleware=[tag_answers], opt=KEPT)
    async def feed(
        request: Request[Any, Any, Any],
        name: FeedName,
        phase: FromQuery[list[Phase] | None] = None,
    ) -> Response[bytes]:
        """The feed of a stream, or of all; of those that came to one of some phases."""
        stream = name.removesuffix(_SUFFIX)
        known = site.surroundings.configurations()
        if not name.endswith(_SUFFIX) or (stream != _ALL and stream not in known):
            raise UnknownName(
                "feed", name, known=[_ALL + _SUFFIX, *(f"{each}.atom" for each in known)]
            )
        base = site.base_url or str(request.base_url).rstrip("/")
        phases = _choose(phase or ())
        of = "" if stream == _ALL else stream
        news = await site.ask(read_news, stream=of, phases=phases or DECIDED)
        composed = _compose(site, base, stream, phases=phases, news=news)
        return Response(write_feed(composed), media_type=_MEDIA_TYPE)

    return [feed]


def _choose(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Each of ``phases`` once, in their order. Raises InputError for those before a decision."""
    for phase in phases:
        if phase not in DECIDED:
            raise InputError(
                f"feeds do not tell of releases that are {phase.value}",
                hint=f"ask for {', '.join(each.value for each in DECIDED)}",
            )
    return tuple(phase for phase in DECIDED if phase in phases)


def _compose(
    site: Site, base: str, stream: str, *, phases: Sequence[Phase], news: Sequence[News]
) -> Feed:
    everything = stream == _ALL
    title = site.title if everything else f"{site.title}: {stream}"
    chosen = [phase.value for phase in phases]
    query = "?" + urllib.parse.urlencode({"phase": chosen}, doseq=True) if chosen else ""
    page = "/" if everything else f"/releasestream/{_part(stream)}"
    return Feed(
        identity=_identify(site.base_url, stream, *chosen),
        title=f"{title} ({', '.join(chosen)})" if chosen else title,
        link=base + page,
        own_link=f"{base}/feeds/{_part(stream)}{_SUFFIX}{query}",
        entries=tuple(_tell(base, each) for each in news),
    )


def _tell(base: str, news: News) -> Entry:
    release = news.release
    link = f"{base}/releasestream/{_part(release.stream)}/release/{_part(release.name)}"
    return Entry(
        identity=_identify(
            release.stream, release.name, release.phase.value, str(int(release.changed))
        ),
        title=f"{release.name}: {release.phase.value}",
        updated=release.changed,
        link=link,
        text="\n".join([*_head(release), *_changes(news)]),
        author=release.stream,
    )


def _head(release: Release) -> list[str]:
    lines = [release.message] if release.message else []
    return [*lines, f"Pull spec: {release.pull_spec}"] if release.pull_spec else lines


def _changes(news: News) -> list[str]:
    if not news.base:
        return []
    if not news.changes:
        return [f"Nothing changed since {news.base}."]
    lines = [f"Changed since {news.base}:"]
    for change in news.changes[:_MOST_CHANGES]:
        commit = change.after.commit[:12] if change.after is not None else ""
        lines.append(f"- {change.tag}: {change.alteration.value} {commit}".rstrip())
    left = len(news.changes) - _MOST_CHANGES
    return [*lines, f"- and {left} more"] if left > 0 else lines


def _identify(*parts: str) -> str:
    return uuid.uuid5(_OURS, "\n".join(parts)).urn


def _part(text: str) -> str:
    return urllib.parse.quote(text, safe="")
