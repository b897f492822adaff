# SPDX-License-Identifier: Apache-2.0
"""Making an object exactly once, though the answer to the request may get lost.

A request to create that was cut may have been done. So that it can be repeated, the name is ours
to choose (where the object has ``generateName`` alone, as the server would choose it), and the
object carries a mark of the request in an annotation: when the repetition finds an object of that
name, the mark says whether it is ours. What has no name of its own, as an order to start a
build, is repeated only when it is certain that nothing was done.
"""

from __future__ import annotations

import secrets

import msgspec

from okd_payload.cluster.api import Api, Settled
from okd_payload.cluster.protocol import ObjectKind
from okd_payload.cluster.refusal import read_refusal
from okd_payload.cluster.request import Answer, Subject, request_about
from okd_payload.errors import ClusterUnavailable, InputError

REQUEST_MARK = "okd-payload.io/request"
"""The annotation by which a repeated request knows its object."""
FIELD_MANAGER = "okd-payload"

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_BASE = 58
_NAMES_TRIED = 8


class Named(msgspec.Struct, frozen=True):
    """The names in an object's metadata."""

    name: str = ""
    generate_name: str = msgspec.field(name="generateName", default="")
    namespace: str = ""
    annotations: dict[str, str] | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: Named = Named()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An object to be, whose name and namespace are known."""

    subject: Subject
    content: bytes
    generated: bool = False
    """Whether the name was chosen here."""


def names_of(content: bytes, kind: ObjectKind) -> Named:
    """The names in the object. Raises InputError when it is none."""
    try:
        return msgspec.json.decode(content, type=_Object).metadata
    except msgspec.MsgspecError as error:
        raise InputError(f"this is no {kind.kind}: {error}", hint="an object is JSON") from error


def draft(kind: ObjectKind, content: bytes, *, namespace: str, mark: str) -> Draft:
    """The object with a name, and with ``mark`` unless that is empty. Raises InputError."""
    names = names_of(content, kind)
    generated = bool(names.generate_name and not names.name)
    name = f"{names.generate_name[:_LONGEST_BASE]}{_suffix()}" if generated else names.name
    place = (namespace or names.namespace) if kind.namespaced else ""
    document: dict[str, msgspec.Raw] = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    metadata: dict[str, msgspec.Raw] = msgspec.json.decode(
        document.get("metadata", b"{}"), type=dict[str, msgspec.Raw]
    )
    if generated:
        metadata["name"] = msgspec.Raw(msgspec.json.encode(name))
    if mark:
        annotations = {**(names.annotations or {}), REQUEST_MARK: mark}
        metadata["annotations"] = msgspec.Raw(msgspec.json.encode(annotations))
    document["metadata"] = msgspec.Raw(msgspec.json.encode(metadata))
    return Draft(
        subject=Subject(kind=kind, namespace=place, name=name),
        content=msgspec.json.encode(document),
        generated=generated,
    )


def writing_options(*, dry_run: bool) -> tuple[tuple[str, str], ...]:
    """What every writing request says: who writes, and that unknown fields are errors."""
    return (
        ("fieldManager", FIELD_MANAGER),
        ("fieldValidation", "Strict"),
        ("dryRun", "All" if dry_run else ""),
    )


async def create(
    api: Api, kind: ObjectKind, content: bytes, *, namespace: str, dry_run: bool
) -> bytes:
    """Make the object, once, and return it as the server has it. Raises ClusterError."""
    for tried in range(_NAMES_TRIED):
        order = "/" in kind.plural
        mark = "" if order or dry_run else secrets.token_hex(8)
        made = draft(kind, content, namespace=namespace, mark=mark)
        request = request_about(
            made.subject,
            "create",
            query=writing_options(dry_run=dry_run),
            body=made.content,
            address=msgspec.structs.replace(made.subject, name=""),
        )
        settled = await api.settle(request, repeatable=bool(mark) or dry_run)
        if settled.unsure and not _is_good(settled) and (ours := await _found(api, made, mark)):
            return ours
        answer = api.final(request, settled)
        if answer.good:
            return answer.body
        taken = answer.status == 409 and read_refusal(answer).reason == "AlreadyExists"
        if not (taken and made.generated and tried + 1 < _NAMES_TRIED):
            raise api.refused(request, answer)
    raise AssertionError


def _is_good(settled: Settled) -> bool:
    return isinstance(settled.outcome, Answer) and settled.outcome.good


async def _found(api: Api, made: Draft, mark: str) -> bytes | None:
    """The object that an earlier try made; None when there is none with this mark."""
    try:
        there = await api.answer(request_about(made.subject, "get"))
    except ClusterUnavailable:
        return None
    if not there.good or not mark:
        return None
    annotations = names_of(there.body, made.subject.kind).annotations or {}
    return there.body if annotations.get(REQUEST_MARK) == mark else None


def _suffix() -> str:
    return "".join(secrets.choice(_SUFFIX) for _ in range(5))
