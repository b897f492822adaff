# SPDX-License-Identifier: Apache-2.0
"""One object, from now until it is gone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import msgspec

from okd_payload.cluster.api import Api
from okd_payload.cluster.objects import identify
from okd_payload.cluster.protocol import Change
from okd_payload.cluster.request import Subject, request_about
from okd_payload.cluster.watching import Watch


async def object_states(api: Api, subject: Subject) -> AsyncGenerator[bytes, None]:
    """The object as it is, and as it becomes with each change, until it is gone.

    Another object that takes its name does not count. Raises ClusterError.
    """
    request = request_about(subject, "get")
    answer = await api.answer(request)
    if answer.status == 404:
        return
    if not answer.good:
        raise api.refused(request, answer)
    yield answer.body
    first = identify(answer.body)
    all_of_kind = msgspec.structs.replace(subject, name="")
    watch = Watch(
        api,
        all_of_kind,
        fields=f"metadata.name={subject.name}",
        since=first.resource_version,
    )
    async with contextlib.aclosing(watch.events()) as events:
        async for event in events:
            if event.change is Change.DELETED or identify(event.content).uid != first.uid:
                return
            yield event.content
