# SPDX-License-Identifier: Apache-2.0
"""One API server that is asked with patience: what passes is waited for, the rest is an error."""

from __future__ import annotations

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster.connection import Connection
from okd_payload.cluster.judgement import judge
from okd_payload.cluster.patience import Patience, Trouble, trouble_of
from okd_payload.cluster.refusal import read_refusal
from okd_payload.cluster.request import Answer, Request, Unreached
from okd_payload.errors import ClusterError, ClusterUnavailable

FIRST_PATIENCE = 5.0
"""Seconds for a server that has never answered: it is rather a wrong address than an overload."""


class Settled(msgspec.Struct, frozen=True):
    """How a request ended."""

    outcome: Answer | Unreached
    unsure: bool
    """Whether a try before the last may have been done, though its answer did not come."""
    tries: int
    """How many tries failed."""


class Api:
    """Requests to one server, each until it is done or will not be."""

    def __init__(self, connection: Connection, *, clock: Clock, patience: float) -> None:
        self.connection = connection
        self.clock = clock
        self._deadline = patience

    async def ask(self, request: Request) -> Answer:
        """The good answer to a request that may be repeated. Raises ClusterError."""
        answer = await self.answer(request)
        if not answer.good:
            raise self.refused(request, answer)
        return answer

    async def answer(self, request: Request) -> Answer:
        """The final answer, good or not, to a request that may be repeated.

        Raises ClusterUnavailable when none comes in the time that there is.
        """
        return self.final(request, await self.settle(request))

    async def settle(self, request: Request, *, repeatable: bool = True) -> Settled:
        """How the request ended, after as many tries as it takes.

        What is not ``repeatable`` is tried again only when it is certain that nothing was done;
        else it raises ClusterUnavailable.
        """
        patience = self.patience()
        unsure = False
        while True:
            outcome = await self.connection.ask(request)
            trouble = trouble_of(outcome, request)
            if trouble is None:
                return Settled(outcome, unsure, patience.tries)
            unsure = unsure or not trouble.undone
            if unsure and not repeatable:
                raise self._unknown(request, trouble)
            if not await patience.endure(trouble, request.about):
                return Settled(outcome, unsure, patience.tries)

    def patience(self) -> Patience:
        """A new measure of patience."""
        known = self.connection.answered
        return Patience(
            self.clock, self._deadline if known else min(self._deadline, FIRST_PATIENCE)
        )

    def final(self, request: Request, settled: Settled) -> Answer:
        """The answer that stays. Raises ClusterUnavailable when there is none."""
        if isinstance(settled.outcome, Answer):
            return settled.outcome
        raise self.unreached(request, settled.outcome, tries=settled.tries)

    def refused(self, request: Request, answer: Answer) -> ClusterError:
        """The error for a refusal."""
        return judge(request, read_refusal(answer), self.connection.server)

    def unreached(
        self, request: Request, outcome: Unreached, *, tries: int = 1
    ) -> ClusterUnavailable:
        """The error for no answer at all."""
        often = f" ({tries} tries)" if tries > 1 else ""
        hint = "check the server of the kubeconfig's context, and the network"
        if not outcome.mendable:
            hint = "check the server, its certificate and the authority in the kubeconfig's context"
        return ClusterUnavailable(
            f"{request.about} of {self.connection.server}: the cluster cannot be reached{often}: "
            f"{outcome.words}",
            hint=hint,
        )

    def exhausted(self, request: Request, trouble: Trouble) -> ClusterUnavailable:
        """The error for a trouble that lasted too long."""
        return ClusterUnavailable(
            f"{request.about} of {self.connection.server}: given up: {trouble.words}",
            hint="look after the cluster's API server, then run again",
        )

    def _unknown(self, request: Request, trouble: Trouble) -> ClusterUnavailable:
        return ClusterUnavailable(
            f"{request.about} of {self.connection.server}: nobody knows whether it was done: "
            f"{trouble.words}",
            hint="look whether it is there before you ask again",
        )
