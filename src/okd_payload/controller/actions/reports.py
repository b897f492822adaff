# SPDX-License-Identifier: Apache-2.0
"""What servers report of runs that they carry out for us.

Whoever holds the token of a run may say how that one run went, and nothing else. The token is
made from the secret of the run's webhook, so it is worth nothing once that secret is changed.
"""

from __future__ import annotations

import hmac

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.model import VerificationRun
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.runner import RunContext
from okd_payload.controller.verification.runners.webhook import STATES, RunReport, take_report
from okd_payload.controller.verification.secret_settings import read_secret, result_token
from okd_payload.controller.verification.shared_files import FileSharing
from okd_payload.controller.verification.verifier import known_verifications
from okd_payload.errors import InputError
from okd_payload.oci.threads import finish_in_thread

WEBHOOK = "webhook"


class WrongToken(InputError):
    """Somebody reports a result who may not."""


async def report_run(
    surroundings: Surroundings, identity: str, *, token: str, report: RunReport
) -> VerificationRun:
    """Take ``report`` of a run; saying the same again changes nothing.

    Raises WrongToken, also where there is no such run: whoever has no token learns nothing.
    InputError for a run that has ended otherwise or a report that is none.
    """
    context = await _find(surroundings, identity)
    _require_token(context, token)
    if report.state.lower() not in STATES:
        raise InputError("that is no state of a run", hint=f"one of: {', '.join(STATES)}")
    if context.run.state.is_final:
        if report.state.lower() != context.run.state.value.lower():
            raise InputError(
                f"{identity} has ended already: {context.run.state.value}",
                hint="retry the release, and its verifications begin anew",
            )
        return context.run
    now = surroundings.clock.now()
    update = await finish_in_thread(take_report, context, report)
    names = [name for name in (update.log, *update.artifacts) if name]
    sharing = FileSharing(surroundings.database, surroundings.database.write)
    await sharing.share(context.folder, identity, names)
    place = f"runs/{identity}/"

    def unit(connection: Connection) -> VerificationRun:
        run = runs.find(connection, identity) or context.run
        if run.state.is_final:
            return run
        ended = msgspec.structs.replace(
            run,
            state=update.state,
            started=run.started or now,
            ended=now if update.state.is_final else None,
            message=update.message,
            url=update.url or run.url,
            log=place + update.log if update.log else run.log,
            artifacts=tuple(place + name for name in update.artifacts) or run.artifacts,
        )
        runs.write(connection, ended, time=now, actor=WEBHOOK)
        streams.add_tested(connection, ended, time=now)
        return ended

    return await surroundings.database.write(unit)


def _require_token(context: RunContext, token: str) -> None:
    """Return for the token of the run. Raises WrongToken, which tells nothing of secrets."""
    identity = context.run.id
    try:
        secret = read_secret(context.verification.runner.settings, "secret")
    except InputError as error:
        raise _wrong(identity) from error
    if not hmac.compare_digest(result_token(secret, identity).encode(), token.encode()):
        raise _wrong(identity)


def _wrong(identity: str) -> WrongToken:
    return WrongToken(
        f"the token is not that of {identity}", hint="send the one that came with the run"
    )


async def _find(surroundings: Surroundings, identity: str) -> RunContext:
    """The run, and what is configured of it. Raises WrongToken where nobody can have one."""
    run = await surroundings.database.read(lambda unit: runs.find(unit, identity))
    if run is None:
        raise _wrong(identity)
    release = await surroundings.database.read(lambda unit: releases.find(unit, run.release))
    configured = surroundings.configurations().get(release.stream if release else "")
    found = known_verifications(configured).get(run.verification) if configured else None
    if release is None or configured is None or found is None:
        raise _wrong(identity)
    if not found.runner.kind == run.runner == WEBHOOK:
        raise _wrong(identity)
    return RunContext(
        configuration=configured,
        verification=found,
        release=release,
        run=run,
        folder=surroundings.state / "runs" / identity,
    )
