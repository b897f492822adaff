# SPDX-License-Identifier: Apache-2.0
"""What a real API server said, as requests and answers of ours."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.request import Answer, Request, Subject, request_about

_KINDS = {"tasks": "Task", "taskruns": "TaskRun", "pods": "Pod", "secrets": "Secret"}


def request_of(exchange) -> Request:
    """The recorded request, as we would have made it."""
    method, _, target = exchange["request"].partition(" ")
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query))
    subject = subject_of(parts.path, exchange.get("body"))
    verb = {"POST": "create", "PATCH": "patch", "PUT": "patch", "DELETE": "delete"}.get(method)
    if verb is None:
        verb = "watch" if "watch" in query else "get" if subject.name else "list"
    body = exchange.get("body")
    content = body.encode() if isinstance(body, str) else json.dumps(body or {}).encode()
    return request_about(subject, verb, query=tuple(query.items()), body=content)


def subject_of(path, body=None) -> Subject:
    """What a path is about; the name of what is created stands in its body."""
    steps = path.strip("/").split("/")
    version, steps = (
        ("/".join(steps[1:3]), steps[3:]) if steps[0] == "apis" else (steps[1:2], steps[2:])
    )
    version = version if isinstance(version, str) else "".join(version)
    namespace = ""
    if steps[:1] == ["namespaces"] and len(steps) > 2:
        namespace, steps = steps[1], steps[2:]
    plural, name, part = (*steps, "", "", "")[:3]
    if not name and isinstance(body, dict):
        name = body.get("metadata", {}).get("name", "")
    kind = ObjectKind(version, _KINDS.get(plural, plural), plural, namespaced=bool(namespace))
    return Subject(kind=kind, namespace=namespace, name=name, subresource=part)


def answer_of(exchange) -> Answer:
    """The recorded answer."""
    reply = exchange["reply"] if "reply" in exchange else exchange.get("status")
    if reply is None:
        reply = exchange["lines"][0] if exchange.get("lines") else ""
    body = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
    wait = (exchange.get("responseHeaders") or {}).get("Retry-After")
    return Answer(status=exchange["http"], body=body, retry_after=float(wait) if wait else None)
