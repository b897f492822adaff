# SPDX-License-Identifier: Apache-2.0
"""What a container prints, from its first line to its last, across everything in between.

A container that waits has no log yet: its pod is watched until it has. A stream may be cut, by the
server, a proxy or the node, also by an end that looks like the end of the log; so the pod is asked
whether the container has ended, and then the rest is read once more. ``LogText`` takes care that
nothing is told twice. What a kubelet has moved to an older file in the meantime it does not give.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import AsyncGenerator

import msgspec

from okd_payload.cluster.api import Api
from okd_payload.cluster.connection import Stream
from okd_payload.cluster.kinds import POD
from okd_payload.cluster.log_text import LogText
from okd_payload.cluster.one_object import object_states
from okd_payload.cluster.patience import LASTING, Trouble, trouble_of
from okd_payload.cluster.pods import decode_pod
from okd_payload.cluster.refusal import read_refusal
from okd_payload.cluster.request import Answer, Request, Subject, Unreached, request_about
from okd_payload.errors import NoSuchObject

_SILENCE = 600.0
"""Seconds without a line after which the log is asked for anew: the connection may be dead."""
_PAUSE = 0.5


class _Life(enum.Enum):
    """How far a container is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    NEVER = "never"
    """Its pod has ended, and it never ran."""


class Log:
    """The log of one container; ``text`` is read once."""

    def __init__(self, api: Api, *, namespace: str, pod: str, container: str, follow: bool) -> None:
        self._api = api
        self._pod = Subject(kind=POD, namespace=namespace, name=pod)
        self._container = container
        self._follow = follow
        self._text = LogText()
        self._ended = False
        """Whether the container is known to print no more: what is read now is the rest."""
        self._trouble: Trouble | None = None
        """What the last stream ended in."""
        self._refused: Answer | None = None
        """What was said in place of the last stream."""

    async def text(self) -> AsyncGenerator[bytes, None]:
        """The log in pieces, until the container ends. Raises ClusterError."""
        patience = self._api.patience()
        while True:
            request = self._request()
            began = self._api.clock.monotonic()
            self._forget_end()
            async with contextlib.aclosing(self._stream(request)) as stream:
                async for new in stream:
                    patience.note_progress()
                    yield new
            if self._api.clock.monotonic() - began >= LASTING:
                patience.note_progress()
            if self._trouble is not None:
                if not await patience.endure(self._trouble, request.about):
                    raise self._api.exhausted(request, self._trouble)
            elif self._refused is not None:
                if not await self._has_more(request, self._refused):
                    return
            elif await self._is_over(began):
                return
            self._text.begin_again()

    async def _stream(self, request: Request) -> AsyncGenerator[bytes, None]:
        """What is new in one stream of the server, which may end in trouble."""
        async with self._api.connection.open_stream(request, silence=_SILENCE) as opened:
            if not isinstance(opened, Stream):
                self._note_refusal(opened, request)
                return
            async for piece in opened.pieces():
                if new := self._text.take(piece):
                    yield new
            if opened.cut:
                self._trouble = Trouble(words=f"cut: {opened.cut}")
            elif rest := self._text.finish():
                yield rest

    def _request(self) -> Request:
        query = (
            ("container", self._container),
            ("follow", "true" if self._follow and not self._ended else ""),
            ("timestamps", "true"),
            ("sinceTime", self._text.since),
        )
        subject = msgspec.structs.replace(self._pod, subresource="log")
        return request_about(subject, "get", query=query)

    def _forget_end(self) -> None:
        """Nothing is known of the end of the next stream."""
        self._trouble = None
        self._refused = None

    def _note_refusal(self, outcome: Answer | Unreached, request: Request) -> None:
        """Note what to do after it. Raises ClusterUnavailable when nothing can help."""
        trouble = trouble_of(outcome, request)
        if trouble is not None:  # a node that cannot be reached for now is a 500 too
            self._trouble = msgspec.structs.replace(trouble, doubtful=False)
        elif isinstance(outcome, Unreached):
            raise self._api.unreached(request, outcome)
        else:
            self._refused = outcome

    async def _has_more(self, request: Request, answer: Answer) -> bool:
        """Whether to ask again, after this refusal. Raises ClusterError when it is final."""
        refusal = read_refusal(answer)
        if answer.status == 404 and self._ended:
            return False
        if answer.status == 404 and refusal.structured:
            raise NoSuchObject(
                f"{request.about}: the pod is gone, and what is left of its log with it",
                hint="logs are there as long as their pods: follow them while they run",
            )
        if answer.status != 400:
            raise self._api.refused(request, answer)
        if "is waiting to start" in refusal.message or "is not available" in refusal.message:
            return await self._wait_for_start(request)
        if "is not valid for pod" in refusal.message or "must be specified" in refusal.message:
            raise NoSuchObject(
                f"{request.about}: {refusal.message}", hint="check the name of the container"
            )
        raise self._api.refused(request, answer)

    async def _wait_for_start(self, request: Request) -> bool:
        """Whether the container came to print anything. Raises NoSuchObject with its pod."""
        if not self._follow:
            return False
        async with contextlib.aclosing(object_states(self._api, self._pod)) as states:
            async for state in states:
                life = _life(state, self._container)
                if life is not _Life.WAITING:
                    return life is not _Life.NEVER
        raise NoSuchObject(
            f"{request.about}: the pod went before its container started",
            hint="look for who deleted it, or for why its node went away",
        )

    async def _is_over(self, began: float) -> bool:
        """Whether the log is told, now that the server has ended the stream."""
        if self._ended or not self._follow:
            return True
        answer = await self._api.answer(request_about(self._pod, "get"))
        if answer.status == 404:
            return True
        if not answer.good:
            raise self._api.refused(request_about(self._pod, "get"), answer)
        self._ended = _life(answer.body, self._container) in {_Life.ENDED, _Life.NEVER}
        if not self._ended and self._api.clock.monotonic() - began < _PAUSE:
            await self._api.clock.wait(_PAUSE)
        return False


def _life(pod: bytes, container: str) -> _Life:
    """How far the container of the pod is. Raises ClusterError."""
    status = decode_pod(pod).status
    everyone = (*status.containers, *(status.init_container_statuses or ()))
    for each in everyone:
        if each.name == container and each.state.terminated is not None:
            return _Life.ENDED
        if each.name == container and (each.state.has_begun or each.last_state.has_begun):
            return _Life.RUNNING
    return _Life.NEVER if status.has_ended else _Life.WAITING
