# SPDX-License-Identifier: Apache-2.0
"""Building with Tekton: one TaskRun for each image."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from okd_payload.build.engine import Engine
from okd_payload.cli.cluster_options import connect
from okd_payload.cli.engines.pods import forced_components, tool_settings
from okd_payload.cli.engines.request import EngineRequest
from okd_payload.engines.buildah.engine import format_version
from okd_payload.engines.tekton.engine import TektonEngine
from okd_payload.engines.tekton.owner import find_owner, find_run
from okd_payload.engines.tekton.settings import Errand, TektonSettings


@contextlib.asynccontextmanager
async def open_engine(request: EngineRequest) -> AsyncIterator[Engine]:
    """TaskRuns on the cluster that the options name, building into the session's repository."""
    session, options = request.session, request.options
    async with connect(options.cluster) as cluster:
        engine = TektonEngine(
            cluster=cluster,
            images=session.images,
            format_version=format_version(),
            errand=Errand(
                stream=session.plan.stream, run=find_run(request.run), owner=find_owner()
            ),
            settings=TektonSettings(
                tool=tool_settings(options, request.registries),
                namespace=options.cluster.namespace,
                service_account=options.service_account,
                timeout=options.seconds,
                jobs=request.jobs,
                network=options.network,
                keeps=options.keeps,
            ),
            clock=request.services.clock,
            progress=request.services.tell,
            afresh=forced_components(session),
        )
        async with engine.opened(runs=request.runs, bring_sources=request.bring_sources):
            yield engine
