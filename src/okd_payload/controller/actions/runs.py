# SPDX-License-Identifier: Apache-2.0
"""What people say of runs and releases: how a manual run went, and that a team approves.

A run that has ended stays as it ended: who disagrees has the release verified anew.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.actions.releases import find_release
from okd_payload.controller.model import RunState, VerificationRun
from okd_payload.controller.records import approvals, runs, streams
from okd_payload.controller.records.approvals import Approval
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, UnknownName

MANUAL = "manual"


async def finish_run(
    surroundings: Surroundings, identity: str, *, succeeded: bool, actor: str, reason: str
) -> VerificationRun:
    """Say how a manual run went; saying the same again changes nothing.

    Raises UnknownName, and InputError for a run that is not manual or has ended otherwise.
    """
    now = surroundings.clock.now()
    state = RunState.SUCCEEDED if succeeded else RunState.FAILED

    def unit(connection: Connection) -> VerificationRun:
        run = runs.find(connection, identity)
        if run is None:
            raise UnknownName("run", identity, known=())
        if run.runner != MANUAL:
            raise InputError(
                f"{identity} is run by {run.runner}", hint="only manual runs wait for people"
            )
        if run.state is state:
            return run
        if run.state.is_final:
            raise InputError(
                f"{identity} has ended already: {run.state.value}",
                hint="retry the release, and its verifications begin anew",
            )
        ended = msgspec.structs.replace(
            run, state=state, started=run.started or now, ended=now, message=reason
        )
        runs.write(connection, ended, time=now, actor=actor)
        streams.add_tested(connection, ended, time=now)
        return ended

    return await surroundings.database.write(unit)


async def approve(
    surroundings: Surroundings, name: str, *, team: str, actor: str, reason: str
) -> Approval:
    """Say that ``team`` takes the release for good; saying it again changes nothing.

    Raises UnknownName, and InputError without a team.
    """
    if not team.strip():
        raise InputError(f"{name} is approved by a team", hint="say which")
    now = surroundings.clock.now()

    def unit(connection: Connection) -> Approval:
        release = find_release(connection, name)
        for given in approvals.list_of(connection, name):
            if (given.team, given.actor) == (team, actor):
                return given
        approval = Approval(release=name, team=team, actor=actor, time=now, message=reason)
        approvals.write(connection, approval, stream=release.stream)
        return approval

    return await surroundings.database.write(unit)
