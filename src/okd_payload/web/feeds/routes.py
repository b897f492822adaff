# SPDX-License-Identifier: Apache-2.0
"""``/feeds/all.atom`` and ``/feeds/STREAM.atom``: decided releases, and what changed in them."""

from __future__ import annotations

import urllib.parse
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import PathParameter

from okd_payload.controller.model import Release
from okd_payload.controller.views.news import News, read_news
from okd_payload.errors import UnknownName
from okd_payload.web.api.conditional import tag_answers
from okd_payload.web.feeds.atom import Entry, Feed, write_feed
from okd_payload.web.keeping import KEPT
from okd_payload.web.site import Site

FeedName = Annotated[str, PathParameter(max_length=260)]
_ALL = "all"
_SUFFIX = ".atom"
_MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_MOST_CHANGES = 50


def routes(site: Site) -> list[Any]:
    """The feeds."""

    @get("/feeds/{name:str}", include_in_schema=False, middleware=[tag_answers], opt=KEPT)
    async def feed(request: Request[Any, Any, Any], name: FeedName) -> Response[bytes]:
        """The feed of a stream, or of all."""
        stream = name.removesuffix(_SUFFIX)
        known = site.surroundings.configurations()
        if not name.endswith(_SUFFIX) or (stream != _ALL and stream not in known):
            raise UnknownName(
                "feed", name, known=[_ALL + _SUFFIX, *(f"{each}.atom" for each in known)]
            )
        base = site.base_url or str(request.base_url).rstrip("/")
        news = await site.ask(read_news, stream="" if stream == _ALL else stream)
        return Response(write_feed(_compose(site, base, stream, news)), media_type=_MEDIA_TYPE)

    return [feed]


def _compose(site: Site, base: str, stream: str, news: tuple[News, ...]) -> Feed:
    everything = stream == _ALL
    page = "/" if everything else f"/releasestream/{_part(stream)}"
    return Feed(
        identity=f"{base}/feeds/{_part(stream)}{_SUFFIX}",
        title=site.title if everything else f"{site.title}: {stream}",
        link=base + page,
        own_link=f"{base}/feeds/{_part(stream)}{_SUFFIX}",
        entries=tuple(_tell(base, each) for each in news),
    )


def _tell(base: str, news: News) -> Entry:
    release = news.release
    link = f"{base}/releasestream/{_part(release.stream)}/release/{_part(release.name)}"
    return Entry(
        identity=f"{link}#{release.phase.value}-{int(release.changed)}",
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


def _part(text: str) -> str:
    return urllib.parse.quote(text, safe="")
