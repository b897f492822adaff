# SPDX-License-Identifier: Apache-2.0
"""An answer of ours beside the recorded one, and what explains how they differ."""

from __future__ import annotations

import copy
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from differences import BOTH, KINDS, RULES, Difference
from litestar.testing import AsyncTestClient
from recorded_answers import Case, Response


class Comparison:
    """One instance of ours, asked what the recorded one was asked."""

    def __init__(
        self,
        client: AsyncTestClient[Any],
        *,
        restore: Callable[[str], str] = str,
        comparable: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        """``restore`` exchanges what of our answers was made anew for what was recorded.

        ``comparable`` takes away, of both answers, what cannot be compared.
        """
        self._client = client
        self._restore = restore
        self._comparable = comparable

    async def judge(self, case: Case) -> str:
        """``same``, ``page``, ``rule: ...``, ``kind: ...``, or ``other``."""
        query = f"?{case.request.query}" if case.request.query else ""
        answer = await self._client.request(
            case.request.method,
            f"{case.request.path}{query}",
            headers=case.request.headers,
            follow_redirects=False,
        )
        expected = case.response
        if expected.body_skeleton is not msgspec.UNSET and answer.status_code == expected.status:
            assert "html" in answer.headers["content-type"]
            return "page"
        text = self._restore(answer.text)
        recorded, found = expected.body_json, text
        if recorded is msgspec.UNSET:
            recorded = "" if expected.body_text is msgspec.UNSET else expected.body_text
        elif text:
            found = msgspec.json.decode(text) if text[0] in '{["n' else text
        elif recorded is None:  # the answer to HEAD
            recorded = ""
        if answer.status_code == expected.status and _same_headers(answer.headers, expected):
            recorded, found = self._comparable(recorded), self._comparable(found)
            judged = explain(ordered(recorded), ordered(found))
            if judged != "other":
                return judged
        difference = Difference(
            method=case.request.method,
            path=case.request.path,
            parameters=dict(urllib.parse.parse_qsl(case.request.query)),
            family=case.family,
            recorded_status=expected.status,
            recorded=recorded,
            status=answer.status_code,
            found=found,
        )
        return next(
            (f"kind: {kind}" for kind, holds in KINDS.items() if holds(difference)), "other"
        )


def _same_headers(found: Mapping[str, str], expected: Response) -> bool:
    """Whether the answer leads to the same place and is of the same media type."""
    recorded = expected.headers.get("Content-Type", "").partition(";")[0]
    told = found.get("content-type", "").partition(";")[0]
    return found.get("location") == expected.headers.get("Location") and recorded in ("", told)


def explain(expected: Any, found: Any) -> str:
    """Which rules lead from ``expected`` to ``found``."""
    if expected == found:
        return "same"
    used = []
    for rule in RULES:
        if isinstance(expected, str) and rule.__name__ != "all_tickets":
            continue
        changed = rule(copy.deepcopy(expected))
        other = rule(copy.deepcopy(found)) if rule in BOTH else found
        if changed != expected or other != found:
            used.append(rule.__name__)
        expected, found = changed, other
    return f"rule: {', '.join(used)}" if ordered(expected) == ordered(found) and used else "other"


def ordered(value: Any) -> Any:
    """``value`` with an order where the recorded program had none."""
    if isinstance(value, dict) and "nodes" in value and "edges" in value:
        names = [node["version"] for node in value["nodes"]]
        pairs = [[names[source], names[target]] for source, target in value["edges"]]
        nodes = sorted(value["nodes"], key=lambda node: str(node["version"]))
        return {"versions": nodes, "pairs": sorted(pairs)}
    if isinstance(value, dict):
        return {
            key: sorted(item, key=lambda each: (each["From"], each["To"]))
            if key in {"upgradesTo", "upgradesFrom"}
            else item
            for key, item in value.items()
        }
    if isinstance(value, list) and value and "results" in value[0]:
        return sorted(value, key=lambda each: (each["from"], each["to"]))
    return value
