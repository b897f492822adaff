# SPDX-License-Identifier: Apache-2.0
"""When releases go, and why they stay: what retention would do, told to readers.

That takes a look at all releases of a stream, so what was found stands for half a minute while
nothing happens, and for some seconds in any case.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.records import events
from okd_payload.controller.retention.deciding import Fate
from okd_payload.controller.retention.reading import read_fates
from okd_payload.web.site import Site

_QUIET_SECONDS, _BUSY_SECONDS = 30.0, 10.0


class _Found(msgspec.Struct, frozen=True):
    number: int
    """Of the newest event when it was found."""
    time: float
    configuration: StreamConfiguration
    fates: Mapping[str, Fate]

    def stands(self, configuration: StreamConfiguration, *, number: int, now: float) -> bool:
        seconds = _QUIET_SECONDS if number == self.number else _BUSY_SECONDS
        return self.configuration is configuration and 0 <= now - self.time < seconds


class FateReader:
    """The fates of the releases of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._found: dict[str, _Found] = {}

    async def read(
        self, configuration: StreamConfiguration | None, *, anew: bool = False
    ) -> Mapping[str, Fate]:
        """The fate of each release of the stream; none where it is not configured any more.

        Whoever has just changed something wants it looked at ``anew``.
        """
        if configuration is None:
            return {}
        number, now = await self._site.ask(events.last_number), self._site.now()
        known = self._found.get(configuration.name)
        if anew or known is None or not known.stands(configuration, number=number, now=now):
            fates = await self._site.ask(
                read_fates,
                configuration,
                configurations=self._site.surroundings.configurations(),
                now=now,
            )
            known = _Found(number, now, configuration, fates.by_name)
            self._found[configuration.name] = known
        return known.fates
