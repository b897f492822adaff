# SPDX-License-Identifier: Apache-2.0
"""The configuration of a stream in the fields of OpenShift's ``release-*.json``, and its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar.params import FromPath, QueryParameter

from okd_payload.web.compatibility.answers import Answer, Refusal, send_json
from okd_payload.web.compatibility.configured_fields import Document, describe
from okd_payload.web.compatibility.tags import find_stream
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_TYPES = ("", "informing", "blocking", "disabled", "periodic")


def routes(site: Site) -> Sequence[Any]:
    """The one route."""

    @read("/api/v1/releasestream/{stream:str}/config", include_in_schema=False)
    async def configuration(
        stream: FromPath[str], kind: Annotated[str, QueryParameter(name="jobType")] = ""
    ) -> Answer:
        """The whole configuration, or the jobs of one type."""
        found = find_stream(
            site, stream, status=400, words=f"error: unknown release stream specified: {stream}"
        )
        if kind not in _TYPES:
            raise Refusal(
                400,
                "error: jobType must be one of '', 'informing', 'blocking', 'disabled' or "
                "'periodic'",
            )
        document = describe(found)
        return send_json(document if not kind else select_jobs(document, kind))

    return [configuration]


def select_jobs(document: Document, kind: str) -> Document:
    """The jobs of one type; what is disabled neither blocks nor informs."""
    if kind == "periodic":
        return document["periodic"] or {}
    jobs: Document = document["verify"] or {}
    if kind == "disabled":
        return {name: job for name, job in jobs.items() if job["disabled"]}
    informing = kind == "informing"
    return {
        name: job
        for name, job in jobs.items()
        if not job["disabled"] and bool(job["optional"]) is informing
    }
