# SPDX-License-Identifier: Apache-2.0
"""Runs that somebody else's server carries out: it is told, and is asked or answers later.

What is sent is signed as all our webhooks are, and names the run. A server that is told of the
same run again says how far that run is: after a kill nobody knows whether it was told. It answers
with an address to ask at, on itself and nowhere else; or it reports the result to us with a
token that is good for this one run.
"""

from __future__ import annotations

import msgspec

from okd_payload.controller.model import RunState
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.contract import make_contract
from okd_payload.controller.verification.endings import clean_words, is_address, page_address
from okd_payload.controller.verification.printed_artifacts import take_artifacts
from okd_payload.controller.verification.run_files import (
    JUNIT,
    RunOutcome,
    tell_outcome,
    write_log,
)
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.secret_settings import (
    read_secret,
    result_token,
    sign,
)
from okd_payload.controller.verification.web_answers import (
    PatientWeb,
    origin_of,
    read_answer,
    require_good,
)
from okd_payload.errors import RegistryRefused
from okd_payload.oci.threads import finish_in_thread
from okd_payload.oci.web_requests import WebAsker, WebRequest
from okd_payload.release.output_file import write_output

_POLL_SECONDS = 10.0
_REPORTED = "reported"
"""The handle of a run whose result is reported to us."""
STATES = {
    "queued": RunState.RUNNING,
    "running": RunState.RUNNING,
    "succeeded": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "error": RunState.ERROR,
    "aborted": RunState.ABORTED,
}
"""How servers say how far a run is."""


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of a run, when it is told of it, asked, or by itself."""

    state: str = "running"
    message: str = ""
    url: str = ""
    """Where people look at it."""
    poll: str = ""
    """Where to ask about it."""
    log: str = ""
    junit: str = ""


class WebhookRunner:
    """Implements ``Runner`` with other people's servers."""

    def __init__(self, surroundings: Surroundings, web: WebAsker, *, base_url: str = "") -> None:
        """``base_url`` is where servers reach us to report results."""
        self._surroundings = surroundings
        self._clock = surroundings.clock
        self._web = PatientWeb(web, surroundings.clock)
        self._base_url = base_url
        self._polled: dict[str, float] = {}

    async def start(self, context: RunContext) -> RunUpdate:
        """Tell the server of the run. Raises RegistryError, InputError."""
        images = await self._surroundings.database.read(
            lambda unit: releases.read_inputs(unit, context.release.name)
        )
        secret = read_secret(context.verification.runner.settings, "secret")
        address = f"{self._base_url}/api/v2/runs/{context.run.id}/result"
        document = {
            "run": context.run.id,
            "release": context.release.name,
            "verification": context.verification.name,
            "environment": make_contract(context, images),
            "result": {
                "url": address if self._base_url else "",
                "token": result_token(secret, context.run.id),
            },
        }
        url = context.verification.runner.settings["url"]
        report = await self._send(context, "verification.start", url, document)
        return await self._take(context, report)

    async def poll(self, context: RunContext) -> RunUpdate:
        """Ask where the server said; else wait for its report. Raises RegistryError."""
        run, now = context.run, self._clock.monotonic()
        is_early = run.id in self._polled and now < self._polled[run.id] + _POLL_SECONDS
        if run.handle in ("", _REPORTED) or is_early:
            return RunUpdate(state=run.state, message=run.message)
        self._polled[run.id] = now
        _require_same_server(context, run.handle)
        document = {"run": run.id}
        report = await self._send(context, "verification.poll", run.handle, document)
        return await self._take(context, report)

    async def cancel(self, context: RunContext) -> None:
        """Tell the server that nobody needs the result any more."""
        url = context.verification.runner.settings["url"]
        await self._send(context, "verification.cancel", url, {"run": context.run.id})

    async def _send(self, context: RunContext, event: str, url: str, document: object) -> RunReport:
        body = msgspec.json.encode(document)
        timestamp = str(int(self._clock.now()))
        secret = read_secret(context.verification.runner.settings, "secret")
        headers = {
            "Content-Type": "application/json",
            "X-Okd-Payload-Event": event,
            "X-Okd-Payload-Delivery": context.run.id,
            "X-Okd-Payload-Timestamp": timestamp,
            "X-Okd-Payload-Signature": sign(secret, f"{timestamp}.".encode() + body),
        }
        answer = await self._web.ask(WebRequest(method="POST", url=url, headers=headers, body=body))
        what = f"telling {origin_of(url)} of {context.run.id}"
        require_good(answer, what)
        return read_answer(answer, RunReport, what) if answer.body.strip() else RunReport()

    async def _take(self, context: RunContext, report: RunReport) -> RunUpdate:
        if report.poll:
            _require_same_server(context, report.poll)
        update = await finish_in_thread(take_report, context, report)
        handle = report.poll or context.run.handle or _REPORTED
        return msgspec.structs.replace(update, handle=handle)


def take_report(context: RunContext, report: RunReport) -> RunUpdate:
    """The update that ``report`` means; its log and results are kept. Raises RegistryRefused."""
    state = STATES.get(report.state.lower())
    if state is None:
        raise RegistryRefused(
            f"{clean_words(report.state)!r} is no state of a run",
            hint=f"one of: {', '.join(STATES)}",
        )
    if report.log:
        write_log(context.folder, take_artifacts(report.log.encode(), context.folder))
    if report.junit:
        write_output(context.folder / JUNIT, report.junit.encode())
    told = tell_outcome(
        context.folder, RunOutcome(state=state, message=clean_words(report.message))
    )
    return msgspec.structs.replace(told, url=page_address(report.url))


def _require_same_server(context: RunContext, url: str) -> None:
    """Raise RegistryRefused for an address that could be anybody's."""
    own = origin_of(context.verification.runner.settings["url"])
    if "\\" in url or not is_address(url) or origin_of(url) != own:
        raise RegistryRefused(
            f"{own} names {clean_words(origin_of(url))} to ask at, and only its own addresses "
            "are asked",
            hint="let the server answer about its runs itself",
        )
