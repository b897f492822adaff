# SPDX-License-Identifier: Apache-2.0
"""Deleting an object with all it owns, and seeing it go.

By default what it owns goes after it, in the background. Whoever waits asks for the foreground:
then the object stays, marked, until all that it owns is gone and every finalizer is done.
"""

from __future__ import annotations

import contextlib

import msgspec

from okd_payload.cluster.api import Api
from okd_payload.cluster.objects import identify
from okd_payload.cluster.one_object import object_states
from okd_payload.cluster.request import Subject, request_about
from okd_payload.errors import NoSuchObject

_BACKGROUND = b'{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"}'
_FOREGROUND = b'{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground"}'


class _Kind(msgspec.Struct, frozen=True):
    kind: str = ""


async def delete(api: Api, subject: Subject, *, wait: bool) -> bool:
    """Delete it; whether there was one. Raises ClusterError.

    When a connection breaks, the HTTP client asks once more by itself: then what was deleted by
    the lost request counts as not there.
    """
    request = request_about(subject, "delete", body=_FOREGROUND if wait else _BACKGROUND)
    settled = await api.settle(request)
    answer = api.final(request, settled)
    if not answer.good:
        refusal = api.refused(request, answer)
        if isinstance(refusal, NoSuchObject):
            return settled.unsure  # then an earlier try did it
        raise refusal
    if wait and not _is_status(answer.body):
        await _see_it_go(api, subject, uid=identify(answer.body).uid)
    return True


async def _see_it_go(api: Api, subject: Subject, *, uid: str) -> None:
    async with contextlib.aclosing(object_states(api, subject)) as states:
        async for state in states:
            if identify(state).uid != uid:
                return


def _is_status(body: bytes) -> bool:
    """Whether the answer says how it went, and does not show the object, which is gone then."""
    try:
        return msgspec.json.decode(body, type=_Kind).kind == "Status"
    except msgspec.MsgspecError:
        return False
