# SPDX-License-Identifier: Apache-2.0
"""Building with Shipwright: one BuildRun for each image.

A build strategy has no field for a pod's user namespace, the default of the other engines: pods
get a few capabilities instead, as with ``--pod-security capabilities``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import msgspec

from okd_payload.build.engine import Engine
from okd_payload.cli.cluster_options import connect
from okd_payload.cli.engines.pods import forced_components, tool_settings
from okd_payload.cli.engines.request import EngineRequest
from okd_payload.engines.buildah.engine import format_version
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.shipwright.engine import ShipwrightEngine
from okd_payload.engines.shipwright.settings import ShipwrightSettings


@contextlib.asynccontextmanager
async def open_engine(request: EngineRequest) -> AsyncIterator[Engine]:
    """BuildRuns on the cluster that the options name, building into the session's repository."""
    session, options = request.session, request.options
    async with connect(options.cluster) as cluster:
        engine = ShipwrightEngine(
            cluster,
            session.images,
            format_version=format_version(),
            settings=ShipwrightSettings(
                stream=session.plan.stream,
                run=request.run,
                tool=_without_user_namespace(tool_settings(options, request.registries)),
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
        async with engine.opened(bring_sources=request.bring_sources):
            yield engine


def _without_user_namespace(tool: ToolSettings) -> ToolSettings:
    """Shipwright cannot ask for user namespaces, the default elsewhere: capabilities stand in."""
    if tool.profile is not SecurityProfile.USER_NAMESPACE:
        return tool
    return msgspec.structs.replace(tool, profile=SecurityProfile.CAPABILITIES)
