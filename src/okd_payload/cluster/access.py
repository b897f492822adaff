# SPDX-License-Identifier: Apache-2.0
"""Whether we may do something, as the server judges before it is done.

The question is an object that is created and not kept (``SelfSubjectAccessReview``); everybody who
is logged in may ask it of themselves.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster.api import Api
from okd_payload.cluster.kinds import SELF_SUBJECT_ACCESS_REVIEW
from okd_payload.cluster.objects import strange_answer
from okd_payload.cluster.request import Subject, request_about


class _Action(msgspec.Struct, frozen=True, omit_defaults=True):
    verb: str
    resource: str
    version: str
    group: str = ""
    namespace: str = ""
    subresource: str = ""


class _Question(msgspec.Struct, frozen=True, rename="camel"):
    resource_attributes: _Action


class _Review(msgspec.Struct, frozen=True, rename="camel"):
    spec: _Question
    api_version: str = SELF_SUBJECT_ACCESS_REVIEW.api_version
    kind: str = SELF_SUBJECT_ACCESS_REVIEW.kind


class _Verdict(msgspec.Struct, frozen=True):
    allowed: bool = False


class _Judged(msgspec.Struct, frozen=True):
    status: _Verdict


async def may(api: Api, verb: str, subject: Subject) -> bool:
    """Whether we have the right to do ``verb`` with the subject. Raises ClusterError."""
    kind = subject.kind
    action = _Action(
        verb=verb,
        resource=kind.plural,
        version=kind.version,
        group=kind.group,
        namespace=subject.namespace,
        subresource=subject.subresource,
    )
    request = request_about(
        Subject(kind=SELF_SUBJECT_ACCESS_REVIEW),
        "create",
        body=msgspec.json.encode(_Review(_Question(action))),
    )
    answer = await api.ask(request)
    try:
        return msgspec.json.decode(answer.body, type=_Judged).status.allowed
    except msgspec.MsgspecError as error:
        raise strange_answer(f"{request.about}: the answer is no review: {error}") from error
