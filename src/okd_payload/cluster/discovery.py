# SPDX-License-Identifier: Apache-2.0
"""What a cluster is: its version, and the kinds of objects that it has."""

from __future__ import annotations

import msgspec

from okd_payload.cluster.api import Api
from okd_payload.cluster.objects import strange_answer
from okd_payload.cluster.protocol import ObjectKind
from okd_payload.cluster.request import Request


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    git_version: str


class _Resource(msgspec.Struct, frozen=True):
    name: str
    kind: str = ""


class _Resources(msgspec.Struct, frozen=True):
    resources: tuple[_Resource, ...] = ()


async def server_version(api: Api) -> str:
    """The version of Kubernetes. Raises ClusterError."""
    request = Request(verb="get", path="/version", about="the version", right="/version")
    answer = await api.ask(request)
    try:
        return msgspec.json.decode(answer.body, type=_Version).git_version
    except msgspec.MsgspecError as error:
        raise strange_answer(
            f"{request.about} of {api.connection.server}: this is no API server: {error}"
        ) from error


async def serves(api: Api, kind: ObjectKind) -> bool:
    """Whether the cluster has this kind of objects in this version. Raises ClusterError."""
    root = "/apis" if kind.group else "/api"
    path = f"{root}/{kind.api_version}"
    request = Request(
        verb="get", path=path, about=f"the kinds of objects of {kind.api_version}", right=path
    )
    answer = await api.answer(request)
    if answer.status == 404:
        return False
    if not answer.good:
        raise api.refused(request, answer)
    try:
        known = msgspec.json.decode(answer.body, type=_Resources).resources
    except msgspec.MsgspecError as error:
        raise strange_answer(f"{request.about}: the answer is no list: {error}") from error
    return any(resource.name == kind.plural.split("/")[0] for resource in known)
