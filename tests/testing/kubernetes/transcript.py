# SPDX-License-Identifier: Apache-2.0
"""Recorded exchanges with a real API server, sent to ours, and what differs in the answers.

Uids and resource versions are numbers of the server's own: wherever a recorded answer has one,
ours at the same place stands for it from then on, in requests and in texts.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import aiohttp

from okd_payload.testing.kubernetes.server import KubernetesServer

_OWN = ("uid", "resourceVersion", "continue")
_LEFT_OUT = {
    "creationTimestamp",
    "deletionTimestamp",
    "time",
    "managedFields",
    "storageVersionHash",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_REVISION = re.compile(r"(?<=current: )\d+|(?<=[12x] \()\d+")


class Transcript:
    """The exchanges of one file."""

    def __init__(self, path: Path) -> None:
        self._exchanges: list[dict[str, Any]] = json.loads(path.read_text())["exchanges"]
        self._ours: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._exchanges)

    def stands_for(self, recorded: str, ours: str) -> None:
        """Let ``ours`` be sent wherever the recording has ``recorded``."""
        self._ours[recorded] = ours

    def exchange(self, number: int) -> dict[str, Any]:
        """The recorded exchange of that number."""
        return self._exchanges[number]

    async def replay(
        self, server: KubernetesServer, number: int, *, token: str | None, body: bytes | None = None
    ) -> list[str]:
        """Send the request of an exchange; everything in which the answer differs."""
        recorded = self._exchanges[number]
        method, _, path = recorded["request"].partition(" ")
        usual = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        headers = {"Content-Type": recorded.get("contentType") or usual}
        headers |= {
            name: value
            for name, value in (recorded.get("requestHeaders") or {}).items()
            if name != "Authorization"
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is None:
            body = self._body(recorded.get("body"))
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method,
                server.url + self._translate(path),
                data=io.BytesIO(body or b""),
                headers=headers,
            ) as answer,
        ):
            text = await answer.text()
            differences: list[str] = []
            if answer.status != recorded["http"]:
                differences.append(f"http: {answer.status}")
            wanted = recorded.get("responseHeaders") or {}
            differences += [
                f"{name}: {answer.headers.get(name)}"
                for name in ("Warning", "Retry-After")
                if answer.headers.get(name) != wanted.get(name)
            ]
        if "lines" in recorded:
            lines = [json.loads(line) for line in text.splitlines()]
            return differences + self._compare_lines(recorded["lines"], lines)
        reply, found = recorded["reply"], _parsed(text)
        if set(reply) == {"managedFields"}:
            reply = {"managers": reply["managedFields"]}
            found = {"managers": found["metadata"]["managedFields"]}
        return differences + self._compare(reply, found)

    def _body(self, recorded: Any) -> bytes | None:
        if recorded is None or isinstance(recorded, str):
            return recorded.encode() if recorded else None
        return self._translate(json.dumps(recorded)).encode()

    def _translate(self, text: str) -> str:
        for recorded in sorted(self._ours, key=len, reverse=True):
            text = re.sub(rf"(?<![\w-]){re.escape(recorded)}(?![\w-])", self._ours[recorded], text)
        return text

    def _compare_lines(self, recorded: list[Any], ours: list[Any]) -> list[str]:
        if len(recorded) != len(ours):
            return [f"lines: {[each.get('type') for each in ours]}"]
        return [
            difference
            for number, pair in enumerate(zip(recorded, ours, strict=True))
            for difference in self._compare(*pair, path=f"line[{number}]")
        ]

    def _compare(self, recorded: Any, ours: Any, *, path: str = "") -> list[str]:
        """The places in which ``ours`` is not as recorded."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            return self._compare_objects(recorded, ours, path)
        if isinstance(recorded, list) and isinstance(ours, list):
            return self._compare_lists(recorded, ours, path)
        if isinstance(recorded, str) and isinstance(ours, str):
            recorded, ours = _masked(self._translate(recorded)), _masked(ours)
        return [] if recorded == ours else [f"{path}: {ours!r}"]

    def _compare_objects(
        self, recorded: dict[str, Any], ours: dict[str, Any], path: str
    ) -> list[str]:
        self._learn(recorded, ours)
        cut = "..." in recorded.values() or "..." in recorded
        if "items" in recorded and "apiVersion" not in recorded:
            ours = {name: value for name, value in ours.items() if name != "apiVersion"}
        names = set(recorded) | (set() if cut or path.endswith(_CUT) else set(ours))
        differences = []
        for name in sorted(names - _LEFT_OUT - {*_OWN, "..."}):
            where = f"{path}.{name}" if path else name
            if recorded.get(name) == "...":
                continue
            if cut and name == "metadata":
                where += _CUT
            elif name not in ours or name not in recorded:
                differences.append(f"{where} is {'extra' if name in ours else 'missing'}")
                continue
            differences += self._compare(recorded[name], ours[name], path=where)
        return differences

    def _compare_lists(self, recorded: list[Any], ours: list[Any], path: str) -> list[str]:
        if recorded and all(isinstance(each, str) for each in recorded):
            ours = [_named(each) for each in ours]
        if path == "resources":
            recorded, ours = sorted(recorded, key=_name), sorted(ours, key=_name)
        if len(recorded) != len(ours):
            return [f"{path}: {ours}"]
        return [
            difference
            for number, pair in enumerate(zip(recorded, ours, strict=True))
            for difference in self._compare(*pair, path=f"{path}[{number}]")
        ]

    def _learn(self, recorded: dict[str, Any], ours: dict[str, Any]) -> None:
        for name in _OWN:
            theirs, here = recorded.get(name), ours.get(name)
            if isinstance(theirs, str) and isinstance(here, str) and theirs and here:
                self._ours[theirs] = here


_CUT = "(cut)"


def _masked(text: str) -> str:
    """``text`` without the moments and revisions in it that are the server's own."""
    return _REVISION.sub("(revision)", _MOMENT.sub("(moment)", text))


def _name(resource: dict[str, Any]) -> str:
    return str(resource["name"])


def _named(each: Any) -> Any:
    return each["metadata"]["name"] if isinstance(each, dict) else each


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
