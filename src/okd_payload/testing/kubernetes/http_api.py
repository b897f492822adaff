# SPDX-License-Identifier: Apache-2.0
"""The REST API over a simulated cluster: from requests to operations, from results to answers.

It decides what a request means and who may ask; how answers travel, and what becomes of them on
the way, is the server's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes import applying, changes, creation, deletion, reading, watching
from okd_payload.testing.kubernetes.bodies import (
    MOST_BYTES,
    Body,
    read_applied,
    read_object,
    read_patch,
    too_large,
)
from okd_payload.testing.kubernetes.discovery import (
    describe_core,
    describe_group,
    describe_groups,
    describe_resources,
    describe_version,
)
from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.paths import GroupPath, read_path
from okd_payload.testing.kubernetes.queries import (
    delete_options,
    is_true,
    list_options,
    log_options,
    watch_options,
    write_options,
)
from okd_payload.testing.kubernetes.requests import Answer, PatchType, Target
from okd_payload.testing.kubernetes.shown import read_accept, show
from okd_payload.testing.kubernetes.simulated_cluster import ActionRequest, SimulatedCluster
from okd_payload.testing.kubernetes.statuses import Details, Refusal, unsupported_media_type

_HEALTH = ("/healthz", "/livez", "/readyz")
_CUSTOM_PATCHES = (PatchType.JSON, PatchType.MERGE, PatchType.APPLY)
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What came over the wire."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower case name."""
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def agent(self) -> str:
        """The name of the program that asks, as managed fields have it."""
        return self.headers.get("user-agent", "unknown").partition("/")[0]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered: one document, a text, or lines that come as they happen."""

    code: int = 200
    document: JsonObject | None = None
    text: str = ""
    stream: AsyncIterator[bytes] | None = None
    media_type: str = "application/json"
    warnings: tuple[str, ...] = ()
    retry_after: int = 0


class HttpApi:
    """Answers requests."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self._state = cluster.state

    def answer(self, request: Request) -> Reply:
        """The answer, refusals included."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refused(refusal)

    def _answer(self, request: Request) -> Reply:
        if request.path in _HEALTH:
            return Reply(text="ok", media_type="text/plain")
        user = self._cluster.access.user_of(request.headers.get("authorization", ""))
        found = self._discover(request.path)
        if found is not None:
            return Reply(document=found)
        target = read_path(request.path, self._state.resources)
        if target is None or isinstance(target, GroupPath):
            return _no_such_page()
        form = read_accept(request.headers.get("accept", ""))
        verb = _verb(request, target)
        if (target.resource.name, target.subresource) not in _OPEN:
            self._cluster.access.check(user, verb, target)
        reply = self._perform(request, target, verb, user=user, form=form)
        if reply.document is not None and form:
            return msgspec.structs.replace(reply, document=show(reply.document, form))
        return reply

    def _discover(self, path: str) -> JsonObject | None:
        """What the server says of itself at ``path``, if that is such a path."""
        resources = self._state.resources
        match path.rstrip("/"):
            case "/version":
                return describe_version(self._cluster.version)
            case "/api":
                return describe_core()
            case "/apis":
                return describe_groups(resources)
        found = read_path(path, resources)
        if not isinstance(found, GroupPath):
            return None
        if found.version:
            return describe_resources(resources, found.group, found.version) or None
        return describe_group(resources, found.group) or None

    def _perform(
        self, request: Request, target: Target, verb: str, *, user: str, form: str
    ) -> Reply:
        if verb in ("create", "patch", "update") or target.subresource not in ("", "status"):
            return self._write(request, target, verb, user=user)
        if verb == "watch":
            return self._watch(request, target, form)
        if verb == "list":
            options = list_options(request.query)
            return Reply(document=reading.list_objects(self._state, target, options))
        if verb == "get":
            return Reply(document=reading.get(self._state, target))
        return self._delete(request, target, verb, user=user)

    def _write(self, request: Request, target: Target, verb: str, *, user: str) -> Reply:
        """What changes something, and what subresources do."""
        if target.subresource == "log" and target.resource.name == "pods":
            return self._log(request, target)
        if target.subresource not in ("", *target.resource.subresources) and not self._acts(target):
            return _no_such_page()
        if verb == "create":
            return self._create(request, target, user)
        if verb == "patch":
            return self._patch(request, target, user)
        if verb != "update":
            return _no_such_page()
        body = self._body(request, target)
        options = write_options(
            request.query,
            "UpdateOptions",
            user=user,
            agent=request.agent,
            duplicates=body.duplicates,
        )
        return _done(changes.replace(self._state, target, body.document, options))

    def _acts(self, target: Target) -> bool:
        return (target.resource.name, target.subresource) in self._cluster.actions

    def _create(self, request: Request, target: Target, user: str) -> Reply:
        action = self._cluster.actions.get((target.resource.name, target.subresource))
        if action is not None:
            body = self._body(request, target)
            asked = ActionRequest(target=target, document=body.document, user=user)
            return Reply(code=201, document=action(asked))
        if target.name:
            resource = target.resource
            raise Refusal(
                405,
                "MethodNotAllowed",
                f'create is not supported on resources of kind "{resource.name}"',
                details=Details(group=resource.group, kind=resource.plural),
            )
        write_options(request.query, "CreateOptions", user=user, agent=request.agent)
        body = self._body(request, target)
        options = write_options(
            request.query,
            "CreateOptions",
            user=user,
            agent=request.agent,
            duplicates=body.duplicates,
        )
        return _done(creation.create(self._state, target, body.document, options))

    def _patch(self, request: Request, target: Target, user: str) -> Reply:
        kind = _patch_type(request, target)
        _check_length(request)
        options = write_options(
            request.query,
            "PatchOptions",
            user=user,
            agent="" if kind is PatchType.APPLY else request.agent,
        )
        if kind is not PatchType.APPLY:
            change = read_patch(request.body)
            return _done(changes.patch(self._state, target, kind, change, options=options))
        document = read_applied(request.body)
        if self._state.find(target.resource.name, target.namespace, target.name) is None:
            self._cluster.access.check(user, "create", target)
        return _done(applying.apply(self._state, target, document, options))

    def _delete(self, request: Request, target: Target, verb: str, *, user: str) -> Reply:
        body: JsonObject = {}
        if request.body:
            body = read_object(request.body, request.media_type, "DeleteOptions").document
        options = delete_options(request.query, body, user=user)
        if verb == "delete":
            return Reply(document=deletion.delete(self._state, target, options))
        selection = list_options(request.query)
        found = deletion.delete_collection(self._state, target, selection, options)
        return Reply(document=found)

    def _log(self, request: Request, target: Target) -> Reply:
        pod = reading.get(self._state, target)
        options = log_options(request.query, target.name, self._state.clock.now())
        pieces = self._state.logs.open(pod, options)
        return Reply(stream=pieces, media_type="text/plain")

    def _watch(self, request: Request, target: Target, form: str) -> Reply:
        options = watch_options(request.query)
        if target.name:
            fields = f"metadata.name={target.name}"
            options = msgspec.structs.replace(options, fields=fields)
        events = watching.watch(self._state, target, options)
        return Reply(stream=_lines(events, form))

    def _body(self, request: Request, target: Target) -> Body:
        _check_length(request)
        return read_object(request.body, request.media_type, target.resource.kind)


_OPEN = frozenset({("selfsubjectaccessreviews.authorization.k8s.io", "")})
"""What everybody may ask who is known."""


def refused(refusal: Refusal) -> Reply:
    """The answer for a refusal."""
    seconds = refusal.details.retry_after_seconds if refusal.details else 0
    return Reply(code=refusal.code, document=refusal.document(), retry_after=seconds)


async def _lines(events: AsyncIterator[watching.Event], form: str) -> AsyncIterator[bytes]:
    async for type_, document in events:
        shown = document if type_ == "ERROR" else show(document, form)
        yield msgspec.json.encode({"type": type_, "object": shown}) + b"\n"


def _no_such_page() -> Reply:
    return Reply(code=404, text="404 page not found\n", media_type="text/plain")


def _done(answer: Answer) -> Reply:
    return Reply(
        code=201 if answer.created else 200,
        document=answer.document,
        warnings=answer.warnings,
    )


def _verb(request: Request, target: Target) -> str:
    """The right that a request needs."""
    verb = _VERBS.get(request.method, request.method.lower())
    if verb == "get":
        if is_true(request.query.get("watch", "")):
            return "watch"
        return "get" if target.name else "list"
    if verb == "delete" and not target.name:
        return "deletecollection"
    return verb


def _patch_type(request: Request, target: Target) -> PatchType:
    accepted: list[PatchType] = list(_CUSTOM_PATCHES if target.resource.custom else PatchType)
    found: Any = next((each for each in accepted if each.value == request.media_type), None)
    if isinstance(found, PatchType):
        return found
    raise unsupported_media_type([each.value for each in accepted])


def _check_length(request: Request) -> None:
    if len(request.body) > MOST_BYTES:
        raise too_large()
