# SPDX-License-Identifier: Apache-2.0
"""Whether a project can build at all, asked once before the first build.

What is missing would otherwise be told by every component, in other words and much later.
"""

from __future__ import annotations

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.engines.openshift.build_config import Target
from okd_payload.engines.pod.nodes import check_nodes
from okd_payload.errors import NoSuchKind, NoSuchObject, NotPermitted

_NEEDED = (
    ("create", kinds.BUILD_CONFIG, "instantiate", "start builds"),
    ("watch", kinds.OPENSHIFT_BUILD, "", "follow builds"),
)


async def check_project(cluster: Cluster, target: Target, *, architecture: str) -> None:
    """Raise what keeps the namespace of ``cluster`` from building into ``target``.

    That is NoSuchKind, NotPermitted, NoSuchObject, or another error of clusters.
    """
    if not await cluster.serves(kinds.BUILD_CONFIG):
        raise NoSuchKind(
            "the cluster has no OpenShift Builds (build.openshift.io/v1)",
            hint="on OpenShift 4.14 and later they are the capability `Build`; elsewhere build "
            "with --engine tekton or --engine shipwright",
        )
    for verb, kind, subresource, purpose in _NEEDED:
        await _check_right(cluster, verb, kind, subresource=subresource, purpose=purpose)
    await check_nodes(cluster, architecture)
    if target.image_stream:
        await _check_stream(cluster, target.image_stream)


async def _check_right(
    cluster: Cluster, verb: str, kind: ObjectKind, *, subresource: str, purpose: str
) -> None:
    if await cluster.may(verb, kind, subresource=subresource):
        return
    resource = f"{kind.resource}/{subresource}" if subresource else kind.resource
    raise NotPermitted(
        f"to {purpose}, the right to {verb} {resource} in namespace {cluster.namespace} is missing",
        hint=f"`oc policy add-role-to-user edit USER -n {cluster.namespace}` gives it",
    )


async def _check_stream(cluster: Cluster, name: str) -> None:
    try:
        await cluster.get(kinds.IMAGE_STREAM, name)
    except NoSuchObject as error:
        raise NoSuchObject(
            f"namespace {cluster.namespace} has no image stream {name}",
            hint=f"make it: `oc create imagestream {name} -n {cluster.namespace}`",
        ) from error
