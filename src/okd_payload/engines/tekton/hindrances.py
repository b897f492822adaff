# SPDX-License-Identifier: Apache-2.0
"""What keeps a pod from starting, which only its events say.

A Secret that is missing, a volume that is not bound: Tekton waits for these until the timeout
and does not name them. The events of the pod do, so they are read when a pod takes long.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import ClusterReader, kinds
from okd_payload.errors import ClusterError

_WARNING = "Warning"


class _Subject(msgspec.Struct, frozen=True):
    kind: str = ""
    name: str = ""


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    involved_object: _Subject = _Subject()
    type: str = ""
    reason: str = ""
    message: str = ""


async def find_hindrance(cluster: ClusterReader, pod: str, *, namespace: str) -> str:
    """The newest warning about ``pod``; empty when there is none, or it may not be read."""
    try:
        listed = await cluster.list(kinds.EVENT, namespace=namespace)
    except ClusterError:
        return ""  # it would only have been an explanation
    for content in reversed(listed.items):
        try:
            event = msgspec.json.decode(content, type=_Event)
        except msgspec.MsgspecError:
            continue
        subject = event.involved_object
        if event.type == _WARNING and (subject.kind, subject.name) == ("Pod", pod):
            return f"{event.reason}: {event.message}"
    return ""
