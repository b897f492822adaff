# SPDX-License-Identifier: Apache-2.0
"""``/changelog`` and the payload of a release as JSON.

Parameters are judged in the order of the old controller: the format, whether names are given, then
the releases. What cannot be read is 502, what takes longer than people wait 503 with a time to
come back; nothing is told by halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, QueryParameter

from okd_payload.controller.model import Release
from okd_payload.controller.records import releases
from okd_payload.errors import OkdPayloadError
from okd_payload.imagestream import go_json
from okd_payload.release.changelog.model import Changelog
from okd_payload.release.report.info_json import make_info
from okd_payload.web.compatibility.answers import HTML, JSON, TEXT, Answer, Refusal, encode
from okd_payload.web.compatibility.changelog_html import write_page
from okd_payload.web.compatibility.changelog_markdown import write_old_markdown
from okd_payload.web.compatibility.changelog_shapes import show_changelog
from okd_payload.web.compatibility.changelogs import Changelogs, NotYet, TooBusy
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_FORMATS = ("", "markdown", "html", "json")


def routes(site: Site, changelogs: Changelogs) -> Sequence[Any]:
    """What is told of the content of releases."""

    @read("/changelog", include_in_schema=False)
    async def changelog(
        source: Annotated[str, QueryParameter(name="from")] = "",
        target: Annotated[str, QueryParameter(name="to")] = "",
        form: Annotated[str, QueryParameter(name="format")] = "",
    ) -> Answer:
        """What changed from one release to another, as Markdown, HTML or JSON."""
        if form not in _FORMATS:
            raise Refusal(400, "unrecognized format= string: html, json, markdown, empty accepted")
        for name, given in (("from", source), ("to", target)):
            if not given:
                raise Refusal(400, f"{name} must be set to a valid tag")
        before, after = await _find(site, source), await _find(site, target)
        if before.name == after.name:
            raise Refusal(400, "could not generate a changelog: releases are identical")
        found = await get_changelog(changelogs, before, after)
        content, media_type = _write(found, form)
        headers = {"Access-Control-Allow-Origin": "*"}
        return Response(content, media_type=media_type, headers=headers)

    @read("/releasetag/{tag:str}/json", include_in_schema=False)
    async def information(tag: FromPath[str]) -> Answer:
        """What ``oc adm release info -o json`` says of the payload."""
        record = await _find(site, tag)
        try:
            loaded = await changelogs.read(record)
        except OkdPayloadError as error:
            raise Refusal(502, f"could not read {tag}: {error.message}") from error
        place = record.pull_spec.partition("@")[0]
        configuration = site.surroundings.configurations().get(record.stream)
        if record.digest and configuration is not None and configuration.releases_name:
            place = f"{configuration.releases_name}@{record.digest}"
        return Response(
            go_json.encode(make_info(loaded, pull_spec=place), indent=2) + b"\n", media_type=JSON
        )

    return [changelog, information]


async def get_changelog(changelogs: Changelogs, before: Release, after: Release) -> Changelog:
    """The changelog, or words for why there is none now. Raises Refusal."""
    try:
        return await changelogs.get(before, after)
    except TooBusy:
        raise Refusal(429, "too many changelogs are being made", retry=60) from None
    except NotYet:
        raise Refusal(503, "the changelog is being made, ask again", retry=10) from None
    except OkdPayloadError as error:
        raise Refusal(502, f"could not generate a changelog: {error.message}") from error


async def _find(site: Site, name: str) -> Release:
    """The release called ``name``, which has a payload. Raises Refusal."""
    found = await site.ask(releases.find, name)
    if found is None:
        raise Refusal(400, f"could not find tag: {name}")
    if not found.pull_spec:
        raise Refusal(400, f"release {name} has no payload, or none that can be pulled")
    return found


def _write(changelog: Changelog, form: str) -> tuple[bytes, str]:
    if form == "html":
        return write_page(changelog).encode(), HTML
    if form == "json":
        return encode(show_changelog(changelog), indent=2) + b"\n", JSON
    return write_old_markdown(changelog).encode(), TEXT
