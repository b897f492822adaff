# SPDX-License-Identifier: Apache-2.0
"""What people do to releases: accept, reject, retry, keep, withdraw, restore.

Each writes in one unit of work, in which the release is looked at again, and doing again what is
done changes nothing. A release moves only to the phases that may follow its own. Who did it and
why is on record; whether they may is decided by whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.model import FOLLOWERS, RETRIED, Phase, Release
from okd_payload.controller.records import releases
from okd_payload.controller.retention.deciding import Step
from okd_payload.controller.retention.reading import read_fates
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, UnknownName

Change = Callable[[Connection, Release, float], Release]


async def accept(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> Release:
    """Take the release for good whatever its runs say. Raises UnknownName and InputError."""
    return await _move(
        surroundings, name, Phase.ACCEPTED, code="ManuallyAccepted", actor=actor, reason=reason
    )


async def reject(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> Release:
    """Take the release for bad whatever its runs say. Raises UnknownName and InputError.

    A reason has to be given: readers of the page will ask.
    """
    if not reason.strip():
        raise InputError(
            f"{name} is not rejected without a reason", hint="say why, for those who read the page"
        )
    return await _move(
        surroundings, name, Phase.REJECTED, code="ManuallyRejected", actor=actor, reason=reason
    )


async def retry(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> Release:
    """Verify the release anew, or make its payload anew where that had failed.

    Former runs stay on record and do not count. Raises UnknownName and InputError.
    """
    release = await _read(surroundings, name)
    if not release.phase.is_final:
        raise InputError(
            f"{name} is {release.phase.value} and cannot become so again",
            hint="wait until it is decided",
        )
    after = Phase.PENDING if release.phase is Phase.FAILED else Phase.READY
    return await _move(surroundings, name, after, code=RETRIED, actor=actor, reason=reason)


async def keep(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> Release:
    """Pin the release: it is never removed. Raises UnknownName."""
    return await _change(surroundings, name, actor=actor, reason=reason, kept=True)


async def stop_keeping(
    surroundings: Surroundings, name: str, *, actor: str, reason: str
) -> Release:
    """Let retention judge the release again. Raises UnknownName."""
    return await _change(surroundings, name, actor=actor, reason=reason, kept=False)


async def withdraw(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> Release:
    """Delete the release softly: nobody is offered it any more, who has it can still pull it.

    Raises UnknownName, and InputError while its payload is being made.
    """
    release = await _read(surroundings, name)
    if release.phase is Phase.PENDING:
        raise InputError(f"{name} is being made", hint="wait for its payload, then withdraw it")
    if release.withdrawn is not None:
        return release
    now = surroundings.clock.now()
    return await _change(surroundings, name, actor=actor, reason=reason, withdrawn=now)


async def restore(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> Release:
    """Take back that the release was withdrawn. Raises UnknownName.

    One that would be withdrawn again at once is kept, until somebody stops keeping it.
    """
    configurations = surroundings.configurations()
    now = surroundings.clock.now()

    def unit(connection: Connection) -> Release:
        found = find_release(connection, name)
        if found.withdrawn is None:
            return found
        back = msgspec.structs.replace(found, withdrawn=None)
        releases.change(connection, back, time=now, actor=actor, reason=reason)
        configuration = configurations.get(found.stream)
        if configuration is None:
            return back
        fate = read_fates(
            connection, configuration, [back], configurations=configurations, now=now
        )[name]
        if fate.step is not Step.WITHDRAW:
            return back
        kept = msgspec.structs.replace(back, kept=True)
        releases.change(connection, kept, time=now, actor=actor, reason=f"kept: {fate.reason}")
        return kept

    return await surroundings.database.write(unit)


async def _read(surroundings: Surroundings, name: str) -> Release:
    return await surroundings.database.read(lambda unit: find_release(unit, name))


def find_release(connection: Connection, name: str) -> Release:
    """The release called ``name``. Raises UnknownName, with the nearest names."""
    found = releases.find(connection, name)
    if found is None:
        known = [each.name for each in releases.list_of(connection, withdrawn=None)]
        raise UnknownName("release", name, known=known)
    return found


async def _move(
    surroundings: Surroundings, name: str, after: Phase, *, code: str, actor: str, reason: str
) -> Release:
    now = surroundings.clock.now()

    def unit(connection: Connection) -> Release:
        release = find_release(connection, name)
        if release.phase is after:
            return release
        if after not in FOLLOWERS[release.phase]:
            possible = ", ".join(sorted(each.value for each in FOLLOWERS[release.phase]))
            raise InputError(
                f"{name} is {release.phase.value} and cannot become {after.value}",
                hint=f"from there it can become: {possible}",
            )
        fresh = msgspec.structs.replace(release, attempts=0, retry_at=None)
        return releases.move(
            connection, fresh, after, time=now, actor=actor, reason=code, message=reason
        )

    return await surroundings.database.write(unit)


async def _change(
    surroundings: Surroundings, name: str, *, actor: str, reason: str, **fields: object
) -> Release:
    now = surroundings.clock.now()

    def unit(connection: Connection) -> Release:
        found = find_release(connection, name)
        changed = msgspec.structs.replace(found, **fields)
        if changed == found:
            return found
        releases.change(connection, changed, time=now, actor=actor, reason=reason)
        return changed

    return await surroundings.database.write(unit)
