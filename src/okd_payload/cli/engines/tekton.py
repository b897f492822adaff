# SPDX-License-Identifier: Apache-2.0
"""Building with Tekton: one TaskRun for each image."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from okd_payload.build.engine import Engine
from okd_payload.build.plan import ComponentNode
from okd_payload.cli.cluster_options import connect
from okd_payload.cli.engine_options import EngineOptions
from okd_payload.cli.engines.request import EngineRequest
from okd_payload.engines.buildah.engine import format_version
from okd_payload.engines.pod.image import choose_image
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.engine import TektonEngine
from okd_payload.engines.tekton.owner import find_owner, find_run
from okd_payload.engines.tekton.settings import Errand, TektonSettings
from okd_payload.oci.registry import RegistrySettings


@contextlib.asynccontextmanager
async def open_engine(request: EngineRequest) -> AsyncIterator[Engine]:
    """TaskRuns on the cluster that the options name, building into the session's repository."""
    session, options = request.session, request.options
    async with connect(options.cluster) as cluster:
        engine = TektonEngine(
            cluster=cluster,
            repository=session.images.repository,
            format_version=format_version(),
            errand=Errand(
                stream=session.plan.stream, run=find_run(request.run), owner=find_owner()
            ),
            settings=tekton_settings(options, request.registries, jobs=request.jobs),
            clock=request.services.clock,
            progress=request.services.tell,
            afresh=_forced_components(request),
        )
        bring = request.bring_sources
        async with engine.opened(runs=request.runs, bring_sources=bring):
            yield engine


def tool_settings(options: EngineOptions, registries: RegistrySettings) -> ToolSettings:
    """How pods run the tool. Raises InvalidReference."""
    return ToolSettings(
        image=choose_image(options.image),
        profile=SecurityProfile(options.pod_security),
        credentials=options.credentials,
        git_credentials=options.git_credentials,
        trust=options.trust,
        plain_http=tuple(sorted(registries.plain_http_hosts)),
    )


def tekton_settings(
    options: EngineOptions, registries: RegistrySettings, *, jobs: int
) -> TektonSettings:
    """How TaskRuns are made. Raises InvalidReference."""
    return TektonSettings(
        tool=tool_settings(options, registries),
        namespace=options.cluster.namespace,
        service_account=options.service_account,
        timeout=options.seconds,
        jobs=jobs,
        network=options.network,
        keeps=options.keeps,
    )


def _forced_components(request: EngineRequest) -> frozenset[str]:
    forced = request.session.forced
    return frozenset(
        node.component.name
        for name, node in request.session.plan.nodes.items()
        if name in forced and isinstance(node, ComponentNode)
    )
