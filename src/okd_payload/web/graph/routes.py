# SPDX-License-Identifier: Apache-2.0
"""``/api/upgrades_info/v1/graph`` by the Cincinnati protocol, and ``/graph`` by the old rules.

Both are asked by clusters every few minutes, so answers carry a tag and may be kept for a while.
"""

from __future__ import annotations

import functools
import gzip
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter

from okd_payload.controller.graph.channels import CHANNEL
from okd_payload.controller.graph.cincinnati import make_document
from okd_payload.controller.graph.traditional import make_old_document, parse_channel
from okd_payload.controller.records import streams
from okd_payload.web.graph.accepting import takes_json
from okd_payload.web.graph.archive import make_archive
from okd_payload.web.graph.kept import Answer, KeptGraphs
from okd_payload.web.graph.refusing import JSON, answer_error, refuse, refuse_parameter
from okd_payload.web.reading import read
from okd_payload.web.site import Site

OLD_TYPE = "application/vnd.redhat.cincinnati.graph+json; version=1.0"
_ARCHITECTURE = re.compile(r"[0-9a-z]{1,30}")
_KEPT = "public, max-age=60"
_UNKNOWN_CHANNEL = (
    "Unsupported ?channel, must be '', 'prerelease', 'prerelease-*', 'nightly', 'nightly-*', "
    "'stable', or 'stable-*\n"
)
_UNKNOWN_FORMAT = "Unsupported ?format, must be 'cincinnati' (default)\n"
_TEXT = "text/plain"

Channel = Annotated[
    str | None,
    QueryParameter(description="What the cluster follows, as in stable-4 or next-scos-4."),
]
Version = Annotated[str | None, QueryParameter(description="That the cluster runs.")]
Client = Annotated[str | None, QueryParameter(name="id", description="Of the cluster.")]
Form = Annotated[str | None, QueryParameter(name="format", description="cincinnati, or nothing.")]
Architecture = Annotated[
    str | None, QueryParameter(description="Of the cluster: amd64, arm64, ppc64le, s390x or multi.")
]


def routes(site: Site) -> Sequence[Any]:
    """The two graphs, and the tested updates as the old controller archives them."""
    kept = KeptGraphs(site)
    return [_graph_route(site, kept), _old_graph_route(kept), _archive_route(site)]


def _graph_route(site: Site, kept: KeptGraphs) -> Any:
    @read(
        "/api/upgrades_info/v1/graph",
        include_in_schema=False,
        exception_handlers={Exception: answer_error},
    )
    async def graph(
        *,
        request: Request[Any, Any, Any],
        channel: Channel = None,
        arch: Architecture = None,
        version: Version = None,
        client: Client = None,
    ) -> Response[bytes]:
        """The updates of a channel, by the Cincinnati protocol.

        `version` and `id` tell who asks, and change nothing.
        """
        del version, client
        if not takes_json(request.headers.get("accept")):
            return refuse(406, "invalid_content_type", "invalid Content-Type requested")
        if channel is None:
            return refuse(400, "missing_params", "mandatory client parameters missing: channel")
        if not CHANNEL.fullmatch(channel):
            return refuse_parameter(f"channel {channel!r} does not match {CHANNEL.pattern}")
        architecture = site.architecture if arch is None else arch
        if not _ARCHITECTURE.fullmatch(architecture):
            return refuse_parameter(f"arch {arch!r} does not match {_ARCHITECTURE.pattern}")
        make = functools.partial(
            make_document, channel=channel, architecture=architecture, link=kept.link
        )
        answer = await kept.answer(("new", channel, architecture), make)
        return _send(request, answer, JSON)

    return graph


def _old_graph_route(kept: KeptGraphs) -> Any:
    @read("/graph", include_in_schema=False)
    async def old_graph(
        request: Request[Any, Any, Any],
        channel: Channel = None,
        form: Form = None,
        arch: Architecture = None,
    ) -> Response[bytes]:
        """Every release, and the updates that were tested, as clusters of OKD ask for them."""
        if form not in (None, "", "cincinnati"):
            return _refuse_in_words(_UNKNOWN_FORMAT)
        wanted = parse_channel(channel or "")
        if wanted is None:
            return _refuse_in_words(_UNKNOWN_CHANNEL)
        make = functools.partial(
            make_old_document, channel=wanted, architecture=arch or "", link=kept.link
        )
        answer = await kept.answer(("old", channel or "", arch or ""), make)
        return _send(request, answer, OLD_TYPE)

    return old_graph


def _archive_route(site: Site) -> Any:
    @read("/archive/graph", include_in_schema=False)
    async def archive() -> Response[bytes]:
        """All tested updates and their runs, compressed."""
        content = msgspec.json.encode(make_archive(await site.ask(streams.read_edges)))
        return Response(
            gzip.compress(content, mtime=0),
            media_type=JSON,
            headers={"Content-Encoding": "gzip"},
        )

    return archive


def _send(request: Request[Any, Any, Any], answer: Answer, media_type: str) -> Response[bytes]:
    """The graph, or that the client has it already."""
    tag = f'"{answer.tag}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT, "Vary": "Accept"}
    known = request.headers.get("if-none-match", "")
    if known == "*" or tag in {text.strip().removeprefix("W/") for text in known.split(",")}:
        return Response(b"", status_code=304, headers=headers)
    return Response(answer.content, media_type=media_type, headers=headers)


def _refuse_in_words(words: str) -> Response[bytes]:
    return Response(words.encode(), status_code=400, media_type=_TEXT)
