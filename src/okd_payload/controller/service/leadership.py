# SPDX-License-Identifier: Apache-2.0
"""Which of several instances acts: the one that holds the lease.

It is renewed at a third of its length, and whoever waits for it asks twice as often, so that it
is never free for long. When it cannot be renewed, the instance stops acting before the lease
ends, and whatever it still has under way is refused by the database, because every write of a
pass checks the lease's term in the same unit of work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from okd_payload.controller.records import leases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import RecordsError

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

LEASE = "controller"
SECONDS = 15.0
"""Length of a lease: what it takes until another instance goes on after a kill."""


class Leadership:
    """The lease of this instance, or its wait for one."""

    def __init__(self, surroundings: Surroundings, *, seconds: float = SECONDS) -> None:
        self._database = surroundings.database
        self._clock = surroundings.clock
        self._instance = surroundings.instance
        self._seconds = seconds
        self._lease: leases.Lease | None = None
        self._renewed = 0.0
        self.trouble = ""
        """Why the database did not take the last word of this instance; empty when it did."""
        self.changed = asyncio.Condition()
        """Notified when this instance begins or ends to act."""

    @property
    def is_acting(self) -> bool:
        """Whether this instance may act now."""
        age = self._clock.monotonic() - self._renewed
        return self._lease is not None and age < self._seconds

    async def run(self) -> None:
        """Try to hold the lease, for ever; let go of it when cancelled."""
        try:
            while True:
                await self.renew()
                await self._clock.wait(self._seconds / (3 if self._lease is not None else 6))
        finally:
            await self.give_up()

    async def renew(self) -> None:
        """Take or renew the lease once. A database that is away is no error: time decides."""
        asked = self._clock.monotonic()
        try:
            lease = await self._database.write(
                lambda unit: leases.take(
                    unit,
                    LEASE,
                    holder=self._instance,
                    seconds=self._seconds,
                    now=self._clock.now(),
                )
            )
        except RecordsError as error:
            lease = self._lease if self.is_acting else None
            self.trouble = error.message
        else:
            self._renewed, self.trouble = asked, ""
        if lease is None or self._lease is None or lease.term != self._lease.term:
            if lease is not None:
                _log.info("%s acts now, term %d", self._instance, lease.term)
            elif self._lease is not None:
                _log.warning("%s does not act any more", self._instance)
            async with self.changed:
                self._lease = lease
                self.changed.notify_all()

    async def give_up(self) -> None:
        """Let others act at once, where the database still hears it."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        try:
            await self._database.write(lambda unit: leases.give_up(unit, lease))
        except RecordsError:
            return  # it ends by itself

    async def write(self, unit: Callable[[Connection], Result]) -> Result:
        """Run ``unit`` while the lease holds. Raises LeaseLost, and as ``Database.write`` does."""
        lease = self._lease
        if lease is None:
            raise leases.LeaseLost(f"{self._instance} does not act")
        now = self._clock.now()

        def fenced(connection: Connection) -> Result:
            leases.check(connection, lease, now=now)
            return unit(connection)

        return await self._database.write(fenced)
