# SPDX-License-Identifier: Apache-2.0
"""One release: its jobs, its updates, and what changed since the one before.

Whoever asks wants to know of the jobs first: a changelog that cannot be made, or not in time, is
left out, where the old controller failed as a whole. Updates into the release stand under
``upgradesTo``, as there. Packages of operating systems are not compared.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar.params import FromPath, QueryParameter

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import releases, runs, streams
from okd_payload.errors import OkdPayloadError
from okd_payload.web.compatibility.answers import Answer, Refusal, send_json
from okd_payload.web.compatibility.changelog_html import write_html
from okd_payload.web.compatibility.changelog_shapes import (
    ShownChangelog,
    no_changelog,
    show_changelog,
)
from okd_payload.web.compatibility.changelogs import Changelogs, NotYet, TooBusy
from okd_payload.web.compatibility.results import (
    ShownResults,
    ShownUpdate,
    show_results,
    show_updates,
)
from okd_payload.web.compatibility.shown import in_order
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_SHORT = "short"


class ShownRelease(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A release as the old interface has it."""

    name: str
    phase: str
    results: ShownResults
    upgrades_to: tuple[ShownUpdate, ...] = ()
    upgrades_from: tuple[ShownUpdate, ...] = ()
    change_log: str = ""
    change_log_json: ShownChangelog


def routes(site: Site, changelogs: Changelogs) -> Sequence[Any]:
    """The one route."""

    @read("/api/v1/releasestream/{stream:str}/release/{tag:str}", include_in_schema=False)
    async def release(
        stream: FromPath[str],
        tag: FromPath[str],
        base: Annotated[str, QueryParameter(name="from")] = "",
        form: Annotated[str, QueryParameter(name="format")] = "",
    ) -> Answer:
        """The release; without what changed where ``format=short`` is asked for."""
        record = await site.ask(releases.find, tag)
        if record is None:
            raise Refusal(404, f"unable to find release tag {tag}, it may have been deleted")
        if record.stream != stream:
            raise Refusal(404, f"release tag {tag} does not belong to release {stream}")
        before = await site.ask(releases.find, base) if base else None
        if base and before is None:
            raise Refusal(404, f"unable to find release tag {base}, it may have been deleted")
        configuration = site.surroundings.configurations().get(
            stream, StreamConfiguration(name=stream)
        )
        shown = await _show(site, record, configuration)
        if form.lower() != _SHORT:
            before = before or await _find_base(site, record, configuration)
            shown = await _with_changelog(changelogs, shown, before, record)
        return send_json(shown)

    return [release]


async def _show(site: Site, record: Release, configuration: StreamConfiguration) -> ShownRelease:
    found = await site.ask(runs.list_of, [record.name])
    into = await site.ask(streams.read_edges, target=record.name)
    out_of = await site.ask(streams.read_edges, source=record.name)
    return ShownRelease(
        name=record.name,
        phase=record.phase.value,
        results=show_results(configuration, found[record.name]),
        upgrades_to=show_updates(into),
        upgrades_from=show_updates(out_of),
        change_log_json=no_changelog(),
    )


async def _find_base(
    site: Site, record: Release, configuration: StreamConfiguration
) -> Release | None:
    """The release that people compare ``record`` with: accepted before it, else just before it."""
    known = await site.ask(releases.list_of, record.stream)
    ordered = in_order(
        [*(each for each in known if each.name != record.name), record], configuration
    )
    older = [each for each in ordered[ordered.index(record) + 1 :] if each.pull_spec]
    accepted = (each for each in older if each.phase is Phase.ACCEPTED)
    return next(accepted, older[0] if older else None)


async def _with_changelog(
    changelogs: Changelogs, shown: ShownRelease, before: Release | None, after: Release
) -> ShownRelease:
    """``shown`` with what changed; without, where that is not known in time: jobs matter more."""
    if before is None or before.name == after.name or not (before.pull_spec and after.pull_spec):
        return shown
    try:
        found = await changelogs.get(before, after)
    except (OkdPayloadError, NotYet, TooBusy):
        return shown
    return msgspec.structs.replace(
        shown,
        change_log=base64.b64encode(write_html(found).encode()).decode(),
        change_log_json=show_changelog(found),
    )
