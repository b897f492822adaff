# SPDX-License-Identifier: Apache-2.0
"""How the API server says no: ``Status`` objects with their codes, reasons and texts.

A ``Refusal`` ends a request. Its texts are those of a real server, because clients tell quota
from rights and from pod security by nothing but the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.resources import Resource


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong, and where."""

    reason: str = ""
    message: str = ""
    field: str = ""

    @property
    def line(self) -> str:
        """The cause as it stands in the message of the whole."""
        return f"{self.field}: {self.message}" if self.field else self.message


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What an answer is about."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[Cause, ...] = ()
    retry_after_seconds: int = 0


class Refusal(Exception):
    """The end of a request by a ``Status`` that is a failure."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Details | None = None,
        next_page: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.next_page = next_page
        """The token with which an expired list goes on."""

    def document(self) -> JsonObject:
        """The ``Status`` as it is answered."""
        status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.next_page} if self.next_page else {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = msgspec.to_builtins(self.details)
        return {**status, "code": self.code}


def success(resource: Resource, name: str, uid: str) -> JsonObject:
    """The answer to a deletion after which nothing is left."""
    details = Details(name=name, group=resource.group, kind=resource.plural, uid=uid)
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": msgspec.to_builtins(details),
    }


def not_found(resource: Resource, name: str) -> Refusal:
    """There is no such object."""
    return Refusal(
        404, "NotFound", f'{resource.name} "{name}" not found', details=_about(resource, name)
    )


def already_exists(resource: Resource, name: str) -> Refusal:
    """There is such an object."""
    return Refusal(
        409,
        "AlreadyExists",
        f'{resource.name} "{name}" already exists',
        details=_about(resource, name),
    )


def conflict(resource: Resource, name: str, why: str, *, by_kind: bool = False) -> Refusal:
    """The object is not as whoever asks believes; ``by_kind`` as the checks of deletions say it."""
    called = resource.kind if by_kind else resource.plural
    full = f"{called}.{resource.group}" if resource.group else called
    return Refusal(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {full} "{name}": {why}',
        details=Details(name=name, group=resource.group, kind=called),
    )


def modified(resource: Resource, name: str) -> Refusal:
    """Somebody else changed the object meanwhile."""
    why = (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    return conflict(resource, name, why)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> Refusal:
    """The object breaks rules; all of them are told."""
    called = f"{kind}.{group}" if group else kind
    lines = list(dict.fromkeys(cause.line for cause in causes))
    told = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    return Refusal(
        422,
        "Invalid",
        f'{called} "{name}" is invalid: {told}',
        details=Details(name=name, group=group, kind=kind, causes=tuple(causes)),
    )


def invalid_object(resource: Resource, name: str, causes: Sequence[Cause]) -> Refusal:
    """An object of ``resource`` breaks rules."""
    return invalid(resource.kind, resource.group, name, causes)


def invalid_options(kind: str, cause: Cause) -> Refusal:
    """What a request was asked with breaks a rule: ``ListOptions`` and the like."""
    return invalid(kind, "meta.k8s.io", "", [cause])


def forbidden(resource: Resource, name: str, why: str, *, causes: Sequence[Cause] = ()) -> Refusal:
    """Rights, quotas, limits and pod security, told apart by ``why``."""
    return Refusal(
        403,
        "Forbidden",
        f"{_quoted(resource, name)} is forbidden: {why}",
        details=Details(
            name=name, group=resource.group, kind=resource.plural, causes=tuple(causes)
        ),
    )


def bad_request(message: str) -> Refusal:
    """The request is wrong: do not ask again."""
    return Refusal(400, "BadRequest", message)


def denied_by_webhook(webhook: str, message: str) -> Refusal:
    """An admission webhook says no, as Tekton's do."""
    return bad_request(f'admission webhook "{webhook}" denied the request: {message}')


def webhook_unreachable(webhook: str, why: str) -> Refusal:
    """An admission webhook cannot be asked: ask again."""
    message = f'failed calling webhook "{webhook}": failed to call webhook: {why}'
    return Refusal(
        500,
        "InternalError",
        f"Internal error occurred: {message}",
        details=Details(causes=(Cause(message=message),)),
    )


def unauthorized() -> Refusal:
    """Nobody knows the token."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def too_many_requests(seconds: int = 1) -> Refusal:
    """The server has too much to do."""
    return Refusal(
        429,
        "TooManyRequests",
        "Too many requests, please try again later.",
        details=Details(retry_after_seconds=seconds),
    )


def unsupported_media_type(accepted: Sequence[str]) -> Refusal:
    """The body is of a type that this request does not take."""
    return Refusal(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted),
    )


def required(field: str, why: str = "") -> Cause:
    """A field must be given."""
    return Cause(
        reason="FieldValueRequired",
        message=f"Required value: {why}" if why else "Required value",
        field=field,
    )


def invalid_value(field: str, value: Any, why: str) -> Cause:
    """A field has a value that breaks a rule."""
    return Cause(
        reason="FieldValueInvalid", message=f"Invalid value: {go_value(value)}: {why}", field=field
    )


def unsupported(field: str, value: Any, supported: Sequence[str]) -> Cause:
    """A field has a value that is none of those there are."""
    told = ", ".join(f'"{each}"' for each in supported)
    return Cause(
        reason="FieldValueNotSupported",
        message=f"Unsupported value: {go_value(value)}: supported values: {told}",
        field=field,
    )


def too_long(field: str, most: int) -> Cause:
    """A field has too many bytes."""
    return Cause(
        reason="FieldValueTooLong",
        message=f"Too long: may not be more than {most} bytes",
        field=field,
    )


def forbidden_field(field: str, why: str) -> Cause:
    """A field must not be given here."""
    return Cause(reason="FieldValueForbidden", message=f"Forbidden: {why}", field=field)


def absent(field: str, value: str) -> Cause:
    """A field names something that is not there."""
    return Cause(reason="FieldValueNotFound", message=f'Not found: "{value}"', field=field)


def duplicate(field: str, value: Any) -> Cause:
    """A field has a value that another one has."""
    return Cause(
        reason="FieldValueDuplicate", message=f"Duplicate value: {go_value(value)}", field=field
    )


def go_value(value: Any) -> str:
    """A value as Go's errors print it."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return msgspec.json.encode(value).decode()


def _about(resource: Resource, name: str) -> Details:
    return Details(name=name, group=resource.group, kind=resource.plural)


def _quoted(resource: Resource, name: str) -> str:
    return f'{resource.name} "{name}"' if name else resource.name
