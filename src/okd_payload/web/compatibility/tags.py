# SPDX-License-Identifier: Apache-2.0
"""The releases of one stream: all, the latest, and the way to its page and its tools.

Order is by version and not by time; names that are no version come last, and are in no range.
``latest`` is an accepted release or none: ``in``, then ``rel``, are judged before the stream is
looked for, and ``rel`` counts among those that ``in`` and ``prefix`` leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from litestar.params import FromPath, FromQuery, QueryParameter

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import releases
from okd_payload.controller.views.names import NamedRelease, list_names
from okd_payload.web.compatibility.answers import (
    NO_STREAM,
    NO_TAGS,
    Answer,
    Refusal,
    redirect,
    send_json,
)
from okd_payload.web.compatibility.numbers import read_count
from okd_payload.web.compatibility.ranges import InvalidRange, VersionRange, parse_range
from okd_payload.web.compatibility.shown import (
    ShownTag,
    by_version,
    check_format,
    download_address,
    send_tag,
    show,
    version_of,
)
from okd_payload.web.keeping import KEPT
from okd_payload.web.reading import read
from okd_payload.web.site import Site

Form = Annotated[str, QueryParameter(name="format")]
Within = Annotated[str, QueryParameter(name="in")]
_NO_TOOLS = "No artifacts download URL is configured, cannot show download link"


class ShownTags(msgspec.Struct, frozen=True, kw_only=True):
    """The releases of a stream; null instead of an empty list."""

    name: str
    tags: tuple[ShownTag, ...] | None


def routes(site: Site) -> Sequence[Any]:
    """What is below one stream, but for a single release."""
    options: dict[str, Any] = {"include_in_schema": False}

    @read("/api/v1/releasestream/{stream:str}/tags", opt=KEPT, **options)
    async def tags(
        stream: FromPath[str], phase: FromQuery[list[str] | None] = None, form: Form = ""
    ) -> Answer:
        """All releases, or those in the phases that are named."""
        configuration = find_stream(site, stream, words=f"Unable to find release {stream}")
        check_format(form)
        found = await _read(site, configuration)
        wanted = [each for each in found if not phase or each.phase.value in phase]
        shown = tuple(show(each, site) for each in by_version(wanted))
        return send_json(ShownTags(name=stream, tags=shown or None))

    @read("/api/v1/releasestream/{stream:str}/latest", opt=KEPT, **options)
    async def latest(
        *,
        stream: FromPath[str],
        within: Within = "",
        rel: FromQuery[str] = "",
        prefix: FromQuery[str] = "",
        form: Form = "",
    ) -> Answer:
        """The newest accepted release, or the one that the parameters choose."""
        found = await _latest(site, stream, within=within, rel=rel, prefix=prefix)
        return send_tag(show(found, site), form)

    @read("/releasestream/{stream:str}/latest", **options)
    async def latest_page(
        *,
        stream: FromPath[str],
        within: Within = "",
        rel: FromQuery[str] = "",
        prefix: FromQuery[str] = "",
    ) -> Answer:
        """The page of the same release."""
        found = await _latest(site, stream, within=within, rel=rel, prefix=prefix)
        return redirect(f"/releasestream/{stream}/release/{found.name}")

    @read("/releasestream/{stream:str}/latest/download", **options)
    async def latest_tools(
        *,
        stream: FromPath[str],
        within: Within = "",
        rel: FromQuery[str] = "",
        prefix: FromQuery[str] = "",
    ) -> Answer:
        """The client tools of the same release."""
        found = await _latest(site, stream, within=within, rel=rel, prefix=prefix)
        return _to_tools(found, site)

    return [tags, latest, latest_page, latest_tools, _route_of_tools(site, options)]


def _route_of_tools(site: Site, options: dict[str, Any]) -> Any:
    @read("/releasestream/{stream:str}/release/{tag:str}/download", **options)
    async def tools(stream: FromPath[str], tag: FromPath[str]) -> Answer:
        """The client tools of a release."""
        found = await site.ask(releases.find, tag)
        if found is None:
            raise Refusal(404, f"Unable to find release tag {tag}, it may have been deleted")
        if found.stream != stream:
            raise Refusal(404, f"Release tag {tag} does not belong to release {stream}")
        return _to_tools(found, site)

    return tools


def find_stream(
    site: Site, name: str, *, status: int = 404, words: str = ""
) -> StreamConfiguration:
    """The stream called ``name``. Raises Refusal."""
    found = site.surroundings.configurations().get(name)
    if found is None:
        raise Refusal(status, words or NO_STREAM)
    return found


async def _read(site: Site, configuration: StreamConfiguration) -> list[Release]:
    """The releases of a stream; one at its end has none any more, as far as this shows."""
    if configuration.end_of_life:
        return []
    return await site.ask(releases.list_of, configuration.name)


async def _latest(site: Site, stream: str, *, within: str, rel: str, prefix: str) -> Release:
    """The release that the parameters choose. Raises Refusal."""
    wanted = _read_range(within)
    place = read_count("rel", rel) if rel else 0
    if find_stream(site, stream).end_of_life:
        raise Refusal(404, NO_TAGS)
    accepted = await site.ask(list_names, Phase.ACCEPTED, stream=stream)
    fitting = list(_fitting(by_version(accepted), wanted, prefix))
    found = await site.ask(releases.find, fitting[place].name) if place < len(fitting) else None
    if found is None:
        raise Refusal(404, NO_TAGS)
    return found


def _read_range(text: str) -> VersionRange | None:
    if not text:
        return None
    try:
        return parse_range(text)
    except InvalidRange as error:
        raise Refusal(400, f"error: ?in must be a valid semantic version range: {error}") from error


def _fitting(
    found: Iterable[NamedRelease], wanted: VersionRange | None, prefix: str
) -> Iterable[NamedRelease]:
    for release in found:
        version = version_of(release.name)
        if not release.name.startswith(prefix):
            continue
        if wanted is None or (version is not None and wanted.contains(version)):
            yield release


def _to_tools(release: Release, site: Site) -> Answer:
    address = download_address(release, site)
    if not address:
        raise Refusal(404, _NO_TOOLS)
    return redirect(address)
