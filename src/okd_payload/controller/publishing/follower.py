# SPDX-License-Identifier: Apache-2.0
"""Publishing after each pass: what was proposed is carried out, line by line of the log.

``Running`` is written before and ``Done`` or ``Failed`` after, so a kill leaves a line that says
what was under way; the publisher then finds what it had done and goes on. What fails is tried
again later and later, and keeps no other way of publishing from being done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import PublishAction, StreamConfiguration
from okd_payload.controller.model import Publication, PublicationState
from okd_payload.controller.publishing.deciding import (
    PAUSES,
    SIGN,
    Facts,
    Proposal,
    Step,
    Wait,
    find_candidates,
    in_order,
    propose,
)
from okd_payload.controller.publishing.gates import Credentials
from okd_payload.controller.publishing.publisher import Documents, PublishContext, Publisher
from okd_payload.controller.publishing.signatures import StoredSignatures
from okd_payload.controller.publishing.standing import Standing, stand
from okd_payload.controller.reconciling.actions import Held, Publish, Taken
from okd_payload.controller.records import approvals, releases, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, OkdPayloadError, RecordsError

Write = Callable[[Callable[[Connection], None]], Awaitable[None]]

_LOOKS_AGAIN = 300.0
"""Seconds between two looks for a signature that others have to make."""


class PublishingFollower:
    """Publishes the releases of streams; implements ``service.Follower``."""

    def __init__(
        self,
        surroundings: Surroundings,
        publishers: Mapping[str, Publisher],
        *,
        write: Write,
        documents: Documents | None = None,
    ) -> None:
        """``publishers`` by kind; ``documents`` to look for signatures that others made."""
        self._surroundings = surroundings
        self._publishers = dict(publishers)
        self._write = write
        self._signatures = StoredSignatures(surroundings, documents) if documents else None
        self._looked: dict[tuple[str, str], float] = {}

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Publish what is due; when to be called again at the latest."""
        wakes = []
        for action in in_order(configuration):
            facts = await self._look(configuration, action)
            proposal = propose(facts)
            await self._note_waits(configuration, facts.standing, proposal)
            known = {each.name: each for each in facts.releases}
            for step in proposal.steps:
                context = PublishContext(
                    configuration=configuration,
                    action=action,
                    release=known[step.release],
                    replaces=step.replaces,
                    restores=step.restores,
                )
                wakes.append(await self._carry_out(context, step, facts))
            wakes.append(proposal.wake)
        return min((wake for wake in wakes if wake is not None), default=None)

    async def _look(self, configuration: StreamConfiguration, action: PublishAction) -> Facts:
        facts = await self._surroundings.database.read(
            lambda unit: read_facts(unit, configuration, action, now=self._now())
        )
        if not action.gate.signed or self._signatures is None:
            return facts
        return await self._with_stored_signatures(configuration, facts, self._signatures)

    async def _with_stored_signatures(
        self, configuration: StreamConfiguration, facts: Facts, signatures: StoredSignatures
    ) -> Facts:
        """``facts`` with the signatures that others made, looked for now and then."""
        found = dict(facts.credentials)
        wanted = {each.name for each in find_candidates(facts)} | _asked_for(facts.standing)
        for each in facts.releases:
            if each.name not in wanted:
                continue
            known = found.get(each.name, Credentials())
            place = (facts.action.name, each.name)
            if known.signed or self._looked.get(place, -_LOOKS_AGAIN) + _LOOKS_AGAIN > facts.now:
                continue
            try:
                signed = await signatures.has_signed(configuration, facts.action.gate, each)
            except RecordsError:
                raise
            except OkdPayloadError:
                signed = False  # a store that is away says nothing, and is asked again
            if signed:
                found[each.name] = msgspec.structs.replace(known, signed=True)
            else:
                self._looked[place] = facts.now
        return msgspec.structs.replace(facts, credentials=found)

    async def _note_waits(
        self, configuration: StreamConfiguration, standing: Standing, proposal: Proposal
    ) -> None:
        for wait in proposal.waits:
            held = Held(
                subject=configuration.name,
                release=wait.release,
                publication=proposal.publication,
                reason=wait.message,
            )
            self._surroundings.progress(held)
            if is_news(standing, wait):
                line = self._line(proposal.publication, wait.release, PublicationState.WAITING)
                line = msgspec.structs.replace(line, message=wait.message)
                await self._log(configuration, line)

    async def _carry_out(self, context: PublishContext, step: Step, facts: Facts) -> float | None:
        """Do ``step``; when to try again where it failed."""
        self._tell(context, step)
        line = self._line(context.action.name, step.release, PublicationState.RUNNING)
        line = msgspec.structs.replace(line, replaced=step.replaces, message=step.reason)
        before = facts.standing.latest.get(step.release)
        if before is None or before.state is not PublicationState.RUNNING:
            await self._log(context.configuration, line)
        try:
            target = await self._publisher_of(context.action).publish(context)
        except RecordsError:
            raise  # nothing is known to have failed but the database, which a pass survives
        except OkdPayloadError as error:
            failed = msgspec.structs.replace(
                line, state=PublicationState.FAILED, time=self._now(), message=error.message
            )
            await self._log(context.configuration, failed)
            times = facts.standing.failures.get(step.release, 0) + 1
            return failed.time + PAUSES[min(times, len(PAUSES)) - 1]
        done = msgspec.structs.replace(
            line, state=PublicationState.DONE, time=self._now(), target=target
        )
        await self._log(context.configuration, done)
        return None

    def _tell(self, context: PublishContext, step: Step) -> None:
        action = Publish(
            release=step.release,
            publication=context.action.name,
            kind=context.action.kind,
            targets=context.action.targets,
            replaces=step.replaces,
            restores=step.restores,
            reason=step.reason,
        )
        self._surroundings.progress(Taken(subject=context.configuration.name, action=action))

    def _publisher_of(self, action: PublishAction) -> Publisher:
        if action.kind not in self._publishers:
            raise InputError(
                f"this controller publishes nothing by {action.kind}",
                hint=f"it can: {', '.join(sorted(self._publishers))}",
            )
        return self._publishers[action.kind]

    def _line(self, name: str, release: str, state: PublicationState) -> Publication:
        return Publication(release=release, name=name, state=state, time=self._now())

    async def _log(self, configuration: StreamConfiguration, line: Publication) -> None:
        await self._write(
            lambda unit: streams.add_publication(unit, line, stream=configuration.name)
        )

    def _now(self) -> float:
        return self._surroundings.clock.now()


def read_facts(
    connection: Connection, configuration: StreamConfiguration, action: PublishAction, *, now: float
) -> Facts:
    """What the records say of one way of publishing of a stream."""
    facts = Facts(
        action=action,
        standing=read_standing(connection, configuration, action.name),
        releases=tuple(releases.list_of(connection, configuration.name)),
        now=now,
    )
    if not action.gate.signed and not action.gate.approvals:
        return facts
    signing = [
        read_standing(connection, configuration, each.name)
        for each in in_order(configuration)
        if each.kind == SIGN and each.name != action.name
    ]
    wanted = {each.name for each in find_candidates(facts)} | _asked_for(facts.standing)
    approved: dict[str, set[str]] = {}
    for each in approvals.list_of(connection) if action.gate.approvals else ():
        approved.setdefault(each.release, set()).add(each.actor)
    credentials = {
        name: Credentials(
            signed=any(standing.is_done(name) for standing in signing),
            approved_by=frozenset(approved.get(name, ())),
        )
        for name in sorted(wanted)
    }
    return msgspec.structs.replace(facts, credentials=credentials)


def _asked_for(standing: Standing) -> set[str]:
    return {standing.asked.release} if standing.asked is not None else set()


def read_standing(
    connection: Connection, configuration: StreamConfiguration, publication: str
) -> Standing:
    """How one way of publishing of a stream stands."""
    return stand(
        streams.read_publications(connection, stream=configuration.name, publication=publication)
    )


def read_current(
    connection: Connection, configuration: StreamConfiguration, publication: str
) -> Standing:
    """What stands there now, what it replaced, what is restored and asked for: from a few lines.

    Of releases that were published before it, nothing is told.
    """
    return stand(
        streams.read_last_publications(
            connection, stream=configuration.name, publication=publication
        )
    )


def is_news(standing: Standing, wait: Wait) -> bool:
    """Whether ``wait`` is not what the log says already."""
    line = standing.latest.get(wait.release)
    if line is None or line.state is not PublicationState.WAITING:
        return line is None or line.state is not PublicationState.DONE
    return line.message != wait.message
