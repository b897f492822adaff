# SPDX-License-Identifier: Apache-2.0
"""When releases go, and why they stay: what retention would do, told to readers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Release
from okd_payload.controller.retention.deciding import Fate
from okd_payload.controller.retention.reading import read_fates
from okd_payload.web.site import Site


async def fates_of(
    site: Site, configuration: StreamConfiguration | None, releases: Collection[Release]
) -> Mapping[str, Fate]:
    """The fates of ``releases`` of one stream; none where it is not configured any more."""
    if configuration is None:
        return {}
    return await site.ask(
        read_fates,
        configuration,
        releases,
        configurations=site.surroundings.configurations(),
        now=site.now(),
    )
