# SPDX-License-Identifier: Apache-2.0
"""What people and programs do to releases, runs and streams.

Each action is a POST with a JSON body, changes nothing when what it asks for is so already, and
answers with the state after it. ``If-Match`` with the ETag of what was read holds it to that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, post
from litestar.params import JSONBody

from okd_payload.controller import actions
from okd_payload.controller.model import Release, StreamState
from okd_payload.web.access.guard import actor_of, takes
from okd_payload.web.access.roles import Role
from okd_payload.web.api.answers import (
    ApprovalAnswer,
    ReleaseSummary,
    RunAnswer,
    tell_approval,
    tell_release,
    tell_run,
)
from okd_payload.web.api.conditional import require_match
from okd_payload.web.api.parameters import IfMatch, Name
from okd_payload.web.api.problems import WRITING
from okd_payload.web.api.releases import tell_whole
from okd_payload.web.api.streams import StreamAnswer, read_stream
from okd_payload.web.site import Site

Asked = Request[Any, Any, Any]
OnRelease = Callable[..., Awaitable[Release]]
OnStream = Callable[..., Awaitable[StreamState]]
_LONGEST_REASON = 4000


class ReasonBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why, for those who read the page."""

    reason: str = ""


class OutcomeBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a manual run went."""

    succeeded: bool
    reason: str = ""


class ApprovalBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """For whom a release is taken for good."""

    team: str
    reason: str = ""


_RELEASES: dict[str, tuple[OnRelease, str]] = {
    "accept": (actions.accept, "Take a release for good, whatever its runs say."),
    "reject": (actions.reject, "Take a release for bad, whatever its runs say; say why."),
    "retry": (actions.retry, "Verify a release anew, or make anew what could not be made."),
    "keep": (actions.keep, "Pin a release: it is never removed."),
    "stop-keeping": (actions.stop_keeping, "Let retention judge a release again."),
    "withdraw": (actions.withdraw, "Delete a release softly: who has it can still pull it."),
    "restore": (actions.restore, "Take back that a release was withdrawn."),
}
_STREAMS: dict[str, tuple[OnStream, str]] = {
    "pause": (actions.pause, "Begin no release until somebody says go on; say why."),
    "resume": (actions.resume, "Let a stream go on."),
    "rebuild": (actions.rebuild, "Make a release although nothing changed."),
}


def routes(site: Site) -> list[Any]:
    """Everything that changes something."""
    return [
        *(_on_release(site, word, *done) for word, done in _RELEASES.items()),
        *(_on_stream(site, word, *done) for word, done in _STREAMS.items()),
        *_on_verdicts(site),
    ]


def writes(path: str, role: Role, *, tag: str, name: str, description: str) -> post:
    """The decorator of a route that changes something."""
    return post(
        path,
        status_code=200,
        opt=takes(role),
        responses=WRITING,
        tags=[tag],
        operation_id=name,
        description=f"{description} Needs the role {role.value}.",
        security=[{"token": []}],
    )


def _on_release(site: Site, word: str, act: OnRelease, description: str) -> Any:
    @writes(
        f"/releases/{{name:str}}/{word}",
        Role.MANAGER,
        tag="actions",
        name=_operation(word, "Release"),
        description=description,
    )
    async def change(
        *, request: Asked, name: Name, data: JSONBody[ReasonBody], if_match: IfMatch = None
    ) -> ReleaseSummary:
        if if_match is not None:
            require_match(if_match, await tell_whole(site, name))
        reason = shorten(data.reason)
        return tell_release(
            await act(site.surroundings, name, actor=actor_of(request), reason=reason)
        )

    return change


def _on_stream(site: Site, word: str, act: OnStream, description: str) -> Any:
    @writes(
        f"/streams/{{name:str}}/{word}",
        Role.MANAGER,
        tag="actions",
        name=_operation(word, "Stream"),
        description=description,
    )
    async def change(
        *, request: Asked, name: Name, data: JSONBody[ReasonBody], if_match: IfMatch = None
    ) -> StreamAnswer:
        if if_match is not None:
            require_match(if_match, await read_stream(site, name))
        reason = shorten(data.reason)
        await act(site.surroundings, name, actor=actor_of(request), reason=reason)
        return await read_stream(site, name)

    return change


def _on_verdicts(site: Site) -> list[Any]:
    @writes(
        "/runs/{run_id:str}/finish",
        Role.VERIFIER,
        tag="actions",
        name="finishRun",
        description="Say how a manual run went.",
    )
    async def finish(*, request: Asked, run_id: Name, data: JSONBody[OutcomeBody]) -> RunAnswer:
        ended = await actions.finish_run(
            site.surroundings,
            run_id,
            succeeded=data.succeeded,
            actor=actor_of(request),
            reason=shorten(data.reason),
        )
        return tell_run(ended)

    @writes(
        "/releases/{name:str}/approve",
        Role.VERIFIER,
        tag="actions",
        name="approveRelease",
        description="Say that a team takes a release for good.",
    )
    async def approve(
        *, request: Asked, name: Name, data: JSONBody[ApprovalBody]
    ) -> ApprovalAnswer:
        given = await actions.approve(
            site.surroundings,
            name,
            team=shorten(data.team),
            actor=actor_of(request),
            reason=shorten(data.reason),
        )
        return tell_approval(given)

    return [finish, approve]


def shorten(text: str) -> str:
    """``text`` as it can be kept: no signs that no database takes, and no more than a page."""
    return "".join(sign for sign in text if sign >= " " or sign in "\n\t")[:_LONGEST_REASON]


def _operation(word: str, thing: str) -> str:
    first, *others = word.split("-")
    return first + "".join(other.capitalize() for other in others) + thing
