# SPDX-License-Identifier: Apache-2.0
"""A database that answers and takes nothing: it is known, and forgotten when that is over."""

from __future__ import annotations

from typing import Any

from rig import Rig

from okd_payload.controller.records.tables import leases, metadata
from okd_payload.controller.service.leadership import Leadership


async def test_that_nothing_can_be_written_is_known(rig: Rig) -> None:
    """From the first refusal on, with its reason, until something is taken."""
    leadership = Leadership(rig.surroundings, seconds=15)
    await leadership.renew()
    assert (leadership.is_acting, leadership.trouble) == (True, "")

    def take_away(unit: Any) -> None:
        leases.drop(unit)

    await rig.database.write(take_away)
    await leadership.renew()
    assert leadership.is_acting  # until its lease ends
    assert "leases" in leadership.trouble
    rig.clock.advance(16)
    await leadership.renew()
    assert not leadership.is_acting
    await rig.database.write(metadata.create_all)
    await leadership.renew()
    assert (leadership.is_acting, leadership.trouble) == (True, "")
