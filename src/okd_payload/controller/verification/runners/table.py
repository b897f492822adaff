# SPDX-License-Identifier: Apache-2.0
"""The runners of one controller, by kind.

Every kind is there whatever is known of the surroundings: one that lacks a cluster, definitions of
jobs or the web says so for each of its runs, where people look for the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.runner import Runner
from okd_payload.controller.verification.runners.builtin import BuiltinRunner
from okd_payload.controller.verification.runners.command import CommandRunner
from okd_payload.controller.verification.runners.container import ContainerRunner
from okd_payload.controller.verification.runners.github import GithubRunner
from okd_payload.controller.verification.runners.manual import ManualRunner
from okd_payload.controller.verification.runners.prowjob import ProwJobRunner
from okd_payload.controller.verification.runners.tekton import TektonRunner
from okd_payload.controller.verification.runners.webhook import WebhookRunner
from okd_payload.errors import RegistryError
from okd_payload.oci.documents import DocumentAnswer, DocumentAsker
from okd_payload.oci.web_requests import WebAnswer, WebAsker, WebRequest


class RunnerChoices(msgspec.Struct, frozen=True, kw_only=True):
    """What runners need beyond the controller's surroundings; each may be left out."""

    documents: DocumentAsker | None = None
    """Asks web servers for signatures."""
    web: WebAsker | None = None
    """Asks forges and other servers that carry out runs."""
    prow_jobs: Path | None = None
    """The folder with the job definitions of Prow."""
    base_url: str = ""
    """Where others reach this server, to which webhooks give their answers."""
    wake: Callable[[str], None] = lambda _stream: None
    """Is told the stream of a run that ended in this process: a pass over it finds more."""


def make_runners(
    surroundings: Surroundings, choices: RunnerChoices | None = None
) -> Mapping[str, Runner]:
    """A runner for each kind that can be had in these surroundings."""
    chosen = choices or RunnerChoices()
    documents, web = chosen.documents or _NoWeb(), chosen.web or _NoWeb()
    return {
        "builtin": BuiltinRunner(surroundings, documents, wake=chosen.wake),
        "command": CommandRunner(surroundings),
        "container": ContainerRunner(surroundings),
        "github": GithubRunner(surroundings, web),
        "manual": ManualRunner(),
        "prowjob": ProwJobRunner(surroundings, chosen.prow_jobs),
        "tekton": TektonRunner(surroundings),
        "webhook": WebhookRunner(surroundings, web, base_url=chosen.base_url),
    }


class _NoWeb:
    """Web servers for those who may ask none."""

    async def ask_document(self, url: str, *, limit: int) -> DocumentAnswer:
        """Raises RegistryError."""
        del limit
        raise RegistryError(f"{url} is not asked: no web server may be asked here")

    async def ask_web(self, request: WebRequest, *, limit: int) -> WebAnswer:
        """Raises RegistryError."""
        del limit
        raise RegistryError(f"{request.url} is not asked: no web server may be asked here")
