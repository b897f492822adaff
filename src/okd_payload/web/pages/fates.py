# SPDX-License-Identifier: Apache-2.0
"""When a release goes, and why it stays: what retention would do, told to readers."""

from __future__ import annotations

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.records import releases
from okd_payload.controller.retention.deciding import Fate, decide_fates
from okd_payload.web.site import Site


async def tell_fates(
    site: Site, configuration: StreamConfiguration | None, stream: str
) -> dict[str, Fate]:
    """The fate of each release of ``stream``; none where it is not configured any more."""
    if configuration is None:
        return {}
    listed = await site.ask(releases.list_of, stream, withdrawn=None)
    return decide_fates(configuration, listed, references={}, now=site.now())
