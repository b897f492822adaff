# SPDX-License-Identifier: Apache-2.0
"""A forge with workflows: as much of GitHub's interface as those meet who start and follow them.

Answer requests with it by ``MemoryWeb(forge.answer)``. Runs appear in lists only when a test says
so, because a real forge takes its time too.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from okd_payload.oci.web_requests import WebAnswer, WebRequest

_PATH = re.compile(r"/repos/(?P<repository>[^/]+/[^/]+)/actions/(?P<rest>.*)")


_LOGS = "https://logs.forge.test"


class MemoryForge:
    """One repository with one workflow, whose runs are named as it says."""

    def __init__(self, repository: str, workflow: str, *, token: str, mark: str) -> None:
        """``mark`` is the input that the workflow puts into the names of its runs."""
        self._repository = repository
        self._workflow = workflow
        self._token = token
        self._mark = mark
        self.inputs: list[dict[str, str]] = []
        """What each run was asked for with."""
        self.runs: dict[int, dict[str, Any]] = {}
        self.jobs: list[dict[str, Any]] = []
        self.logs: dict[int, str] = {}
        """What jobs printed, by their number; kept elsewhere, as real forges do."""
        self.slow = False
        """Whether new runs are not listed yet."""
        self.cancelled: list[int] = []

    def answer(self, request: WebRequest) -> WebAnswer:
        """What the forge says."""
        if request.url.startswith(_LOGS) and "Authorization" not in request.headers:
            return WebAnswer(
                status=200, body=self.logs[int(request.url.rpartition("/")[2])].encode()
            )
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return _say(401, {"message": "Bad credentials"})
        parts = urlsplit(request.url)
        found = _PATH.fullmatch(parts.path)
        if found is None or found["repository"] != self._repository:
            return _say(404, {"message": "Not Found"})
        match request.method, *found["rest"].split("/"):
            case "POST", "workflows", self._workflow, "dispatches":
                return self._dispatch(msgspec.json.decode(request.body))
            case "GET", "workflows", self._workflow, "runs":
                wanted = parse_qs(parts.query)["event"] == ["workflow_dispatch"]
                listed = list(self.runs.values()) if wanted and not self.slow else []
                return _say(200, {"workflow_runs": listed})
        return self._answer_about_run(request.method, found["rest"].split("/"))

    def _answer_about_run(self, method: str, path: list[str]) -> WebAnswer:
        match method, *path:
            case "GET", "runs", number if int(number) in self.runs:
                return _say(200, self.runs[int(number)])
            case "GET", "runs", number, "jobs" if int(number) in self.runs:
                return _say(200, {"jobs": self.jobs})
            case "GET", "jobs", number, "logs" if int(number) in self.logs:
                return WebAnswer(status=302, headers={"location": f"{_LOGS}/{number}"})
            case "POST", "runs", number, "cancel" if int(number) in self.runs:
                return self._cancel(int(number))
        return _say(404, {"message": "Not Found"})

    def end(self, number: int, conclusion: str) -> None:
        """The run has ended."""
        self.runs[number] |= {"status": "completed", "conclusion": conclusion}

    def _dispatch(self, asked: dict[str, Any]) -> WebAnswer:
        if not asked.get("ref"):
            return _say(422, {"message": "No ref found"})
        self.inputs.append(asked["inputs"])
        number = 100 + len(self.inputs)
        self.runs[number] = {
            "id": number,
            "name": "verify",
            "display_title": f"Verify {asked['inputs'].get(self._mark, 'something')}",
            "status": "queued",
            "conclusion": None,
            "html_url": f"https://forge.test/{self._repository}/actions/runs/{number}",
        }
        return WebAnswer(status=204)

    def _cancel(self, number: int) -> WebAnswer:
        if self.runs[number]["status"] == "completed":
            return _say(409, {"message": "Cannot cancel a workflow run that is completed."})
        self.cancelled.append(number)
        self.end(number, "cancelled")
        return _say(202, {})


def _say(status: int, content: object) -> WebAnswer:
    return WebAnswer(status=status, body=msgspec.json.encode(content))
