# SPDX-License-Identifier: Apache-2.0
"""The few requests that runs of a workflow take, and what is read of the answers.

The interface is that of GitHub Actions in the version 2022-11-28, as other forges have it too:
dispatching a workflow, listing its runs, reading and cancelling one, its jobs and their logs. Of
an answer only the fields below are read. The token is shown to the interface that the settings
name, and to nobody that it sends us on to.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from okd_payload.controller.verification.runner import RunContext
from okd_payload.controller.verification.secret_settings import read_secret
from okd_payload.controller.verification.web_answers import (
    MAX_ANSWER,
    PatientWeb,
    read_answer,
    require_good,
)
from okd_payload.oci.web_requests import WebAnswer, WebRequest

_API = "https://api.github.com"
_REF = "main"
_VERSION = "2022-11-28"
_PER_PAGE = 100
_MAX_LOG = 16 * 1024 * 1024
_REDIRECTS = (301, 302, 307)
_TIME = re.compile(rb"^(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\dT[\d:.]{8,20}Z ", re.MULTILINE)
"""What stands before each line of a log."""
_SLACK = dt.timedelta(minutes=10)
"""How far the forge's clock may be behind ours."""


class WorkflowRun(msgspec.Struct, frozen=True):
    """One run of a workflow, as the forge tells it."""

    id: int
    name: str | None = ""
    display_title: str | None = ""
    status: str | None = ""
    conclusion: str | None = ""
    html_url: str = ""

    def is_called(self, mark: str) -> bool:
        """Whether its name has ``mark`` in it as a word."""
        words = f"{self.display_title or ''} {self.name or ''}".split()
        return mark in words


class WorkflowJob(msgspec.Struct, frozen=True, kw_only=True):
    """One job of a run."""

    id: int = 0
    name: str
    conclusion: str | None = ""


class _Runs(msgspec.Struct, frozen=True):
    workflow_runs: tuple[WorkflowRun, ...] = ()


class _Jobs(msgspec.Struct, frozen=True):
    jobs: tuple[WorkflowJob, ...] = ()


class Workflow:
    """The workflow that a verification names, asked with its token."""

    def __init__(self, web: PatientWeb, context: RunContext) -> None:
        """Raises InputError where there is no token."""
        settings = context.verification.runner.settings
        self._web = web
        self._ref = settings.get("ref") or _REF
        self._token = read_secret(settings, "token")
        base = (settings.get("api") or _API).rstrip("/")
        self.repository = settings.get("repository", "")
        self._base = f"{base}/repos/{quote(self.repository)}/actions"
        self._path = f"workflows/{quote(settings.get('workflow', ''), safe='')}"

    async def dispatch(self, inputs: Mapping[str, str]) -> None:
        """Ask for a run. Raises RegistryError."""
        content = msgspec.json.encode({"ref": self._ref, "inputs": inputs})
        answer = await self._ask("POST", f"{self._path}/dispatches", content)
        require_good(answer, f"starting the workflow in {self.repository}")

    async def find(self, mark: str, *, since: float) -> WorkflowRun | None:
        """The run with ``mark`` in its name that was made after ``since``. Raises RegistryError."""
        earliest = dt.datetime.fromtimestamp(since, tz=dt.UTC) - _SLACK
        query = urlencode(
            {
                "event": "workflow_dispatch",
                "created": f">={earliest:%Y-%m-%dT%H:%M:%SZ}",
                "per_page": _PER_PAGE,
            }
        )
        answer = await self._ask("GET", f"{self._path}/runs?{query}")
        found = read_answer(answer, _Runs, f"the runs of {self.repository}")
        return next((run for run in found.workflow_runs if run.is_called(mark)), None)

    async def read(self, number: str) -> WorkflowRun | None:
        """The run with this number, None when there is none any more. Raises RegistryError."""
        answer = await self._ask("GET", f"runs/{quote(number)}")
        if answer.status == 404:
            return None
        return read_answer(answer, WorkflowRun, f"run {number} of {self.repository}")

    async def jobs(self, number: str) -> tuple[WorkflowJob, ...]:
        """The jobs of the run. Raises RegistryError."""
        answer = await self._ask("GET", f"runs/{quote(number)}/jobs?per_page={_PER_PAGE}")
        return read_answer(answer, _Jobs, f"the jobs of run {number}").jobs

    async def job_log(self, job: WorkflowJob) -> bytes:
        """What the job printed, without the times before its lines. Raises RegistryError, TooLarge.

        A forge keeps logs elsewhere and says where: that place is not shown the token.
        """
        answer = await self._ask("GET", f"jobs/{job.id}/logs", limit=_MAX_LOG)
        place = answer.headers.get("location", "")
        if answer.status in _REDIRECTS and place.startswith("https://"):
            answer = await self._web.ask(WebRequest(url=place), limit=_MAX_LOG)
        require_good(answer, f"the log of {job.name}")
        return _TIME.sub(b"", answer.body)

    async def cancel(self, number: str) -> None:
        """End the run; one that has ended is no error. Raises RegistryError."""
        answer = await self._ask("POST", f"runs/{quote(number)}/cancel")
        if answer.status not in (404, 409):
            require_good(answer, f"cancelling run {number} of {self.repository}")

    async def _ask(
        self, method: str, path: str, body: bytes = b"", *, limit: int = MAX_ANSWER
    ) -> WebAnswer:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "X-GitHub-Api-Version": _VERSION,
        }
        request = WebRequest(method=method, url=f"{self._base}/{path}", headers=headers, body=body)
        return await self._web.ask(request, limit=limit)
