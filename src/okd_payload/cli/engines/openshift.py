# SPDX-License-Identifier: Apache-2.0
"""Building with OpenShift Builds: one Build for each image, by the cluster's own builder.

The pods are the cluster's own: ``--image``, ``--trust`` and ``--pod-security`` mean nothing to
them. A network that they cannot have is refused, because the image would not be the one asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from okd_payload.build.engine import Engine
from okd_payload.build.images import StreamImages
from okd_payload.cli.cluster_options import connect
from okd_payload.cli.engines.request import EngineRequest
from okd_payload.cluster import Cluster
from okd_payload.engines.buildah.engine import format_version
from okd_payload.engines.buildah.settings import Network
from okd_payload.engines.openshift.build_config import BuildSettings, Target
from okd_payload.engines.openshift.engine import OpenShiftEngine
from okd_payload.errors import InputError, NoSuchObject
from okd_payload.imagestream.cluster import read_cluster_stream
from okd_payload.imagestream.cluster_repository import ClusterStreamRepository


@contextlib.asynccontextmanager
async def open_engine(request: EngineRequest) -> AsyncIterator[Engine]:
    """Builds in the project that the options name, pushing to the session's repository."""
    session, options = request.session, request.options
    if options.network != Network.HOST.value:
        raise InputError(
            f"OpenShift Builds cannot build with --network {options.network}",
            hint="leave it away, or build with another engine",
        )
    async with connect(options.cluster) as cluster:
        images = session.images
        pull_name = images.repository.name
        if options.image_stream:
            view = ClusterStreamRepository(cluster, options.image_stream, images.repository)
            images = StreamImages(view, images.platform)
            pull_name = await _inner_name(cluster, options.image_stream)
        engine = OpenShiftEngine(
            cluster,
            images,
            target=Target(
                pull_name=pull_name,
                image_stream=options.image_stream,
                push_secret=options.credentials,
                source_secret=options.git_credentials,
            ),
            settings=BuildSettings(
                stream=session.plan.stream,
                run=request.run,
                jobs=request.jobs,
                service_account=options.service_account,
                timeout=options.seconds,
            ),
            format_version=format_version(),
            clock=request.services.clock,
            existing=options.existing,
        )
        async with engine.opened():
            yield engine


async def _inner_name(cluster: Cluster, stream: str) -> str:
    """The repository of an image stream, as pods of the cluster reach it."""
    try:
        raw = await read_cluster_stream(cluster, stream)
    except NoSuchObject as error:
        raise NoSuchObject(
            f"namespace {cluster.namespace} has no image stream {stream}",
            hint=f"make it: `oc create imagestream {stream} -n {cluster.namespace}`",
        ) from error
    if not raw.status.docker_image_repository:
        raise InputError(
            f"the image stream {stream} has no repository: the cluster runs no registry",
            hint="set managementState of the image registry operator to Managed, or name another "
            "registry with --repository alone",
        )
    return raw.status.docker_image_repository
