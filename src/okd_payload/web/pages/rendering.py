# SPDX-License-Identifier: Apache-2.0
"""From values to answers: templates filled in, with an ETag for what is unchanged.

Everything is escaped by the templates; what is ``Markup`` was made here, of escaped parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import jinja2
from litestar import Request, Response
from litestar.enums import MediaType
from markupsafe import Markup

from okd_payload.controller.verification.junit import CaseOutcome
from okd_payload.web.access.guard import identity_of
from okd_payload.web.pages import words
from okd_payload.web.pages.assets import PREFIX, read_assets
from okd_payload.web.pages.markdown import render_markdown
from okd_payload.web.pages.saying import done_cookie, said
from okd_payload.web.problems import SAFE_HEADERS, headers_of, problem_of
from okd_payload.web.site import Site

AnyRequest = Request[Any, Any, Any]
_DASH = Markup('<span class="dash">&ndash;</span>')
"""What stands in a cell that has nothing to say."""
MOST_CASES = 200
"""Failed test cases of one file that a page bears, and characters of each."""
_LONGEST_CASE = 4000


class Renderer:
    """Fills in the templates of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.assets = read_assets()
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("okd_payload.web.pages", "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "clean": words.clean,
            "duration": words.tell_duration,
            "span": words.tell_span,
            "moment": words.tell_moment,
            "size": words.tell_size,
            "instant": words.tell_instant,
            "part": words.path_part,
            "web": words.web_link,
            "digest": words.short_digest,
            "commit": words.short_commit,
            "source": words.short_source,
            "markdown": render_markdown,
            "ago": lambda moment: words.mark_moment(moment, site.now()),
        }
        self._environment.globals |= {
            "site": site,
            "commit_link": words.commit_link,
            "comparison_link": words.comparison_link,
            "outcomes": CaseOutcome,
            "dash": _DASH,
            "most_cases": MOST_CASES,
            "longest_case": _LONGEST_CASE,
            "asset": lambda name: PREFIX + self.assets[name].name,
        }

    def answer(
        self, request: AnyRequest, template: str, *, status: int = 200, **values: Any
    ) -> Response[bytes]:
        """The page that ``template`` makes of ``values``, or that it is unchanged."""
        identity, told = identity_of(request.scope), said(request)
        content = self._environment.get_template(template).render(
            path=request.url.path,
            here=_here(request),
            identity=identity,
            said=told,
            now=self._site.now(),
            **values,
        )
        encoded = content.encode(errors="replace")
        if status != 200:
            # answers to errors are not given the headers of all others
            return Response(
                encoded, status_code=status, media_type=MediaType.HTML, headers=SAFE_HEADERS
            )
        kept = {"Cache-Control": "private, no-cache"} if identity.name else {}
        answer = tagged(request, encoded, media_type=MediaType.HTML, headers=kept)
        if told:
            answer.set_cookie(done_cookie("", raw_path(request)))
        return answer

    def tell(self, request: AnyRequest, error: Exception) -> Response[bytes]:
        """The page that says what ``error`` is, and what to do about it."""
        problem = problem_of(error)
        answer = self.answer(request, "problem.html", status=problem.status, problem=problem)
        answer.headers.update(headers_of(error, problem))
        return answer


def raw_path(request: AnyRequest) -> str:
    """The path of the page as the browser has it."""
    return bytes(request.scope.get("raw_path", b"/")).decode("latin-1").partition("?")[0]


def _here(request: AnyRequest) -> str:
    query = bytes(request.scope.get("query_string", b"")).decode("latin-1")
    return f"{raw_path(request)}?{query}" if query else raw_path(request)


def tagged(
    request: AnyRequest,
    content: bytes,
    *,
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """``content`` with its ETag, and without itself for those who have it."""
    mark = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    told = {"ETag": mark, "Cache-Control": "no-cache", "Vary": "Cookie", **(headers or {})}
    known = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    if mark in known or f"W/{mark}" in known:
        return Response(b"", status_code=304, headers=told, media_type=media_type)
    return Response(content, headers=told, media_type=media_type)
