# SPDX-License-Identifier: Apache-2.0
"""Building with Shipwright: one BuildRun for each image."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from okd_payload.build.engine import Engine
from okd_payload.cli.cluster_options import connect
from okd_payload.cli.engine_options import EngineOptions
from okd_payload.cli.engines.forced import forced_components
from okd_payload.cli.engines.request import EngineRequest
from okd_payload.engines.buildah.engine import format_version
from okd_payload.engines.pod.image import choose_image
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.shipwright.engine import ShipwrightEngine
from okd_payload.engines.shipwright.settings import ShipwrightSettings
from okd_payload.oci.registry import RegistrySettings


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
                tool=tool_settings(options, request.registries),
                service_account=options.service_account,
                timeout=options.seconds,
                jobs=request.jobs,
                network=options.network,
                snapshot=await request.bring_sources(),
                keeps=options.keeps,
            ),
            clock=request.services.clock,
            progress=request.services.tell,
            afresh=forced_components(session),
        )
        async with engine.opened():
            yield engine


def tool_settings(options: EngineOptions, registries: RegistrySettings) -> ToolSettings:
    """How pods run the tool. Raises InvalidReference.

    Shipwright cannot ask for user namespaces, the default elsewhere: capabilities stand in.
    """
    asked = SecurityProfile(options.pod_security)
    own = asked is SecurityProfile.USER_NAMESPACE
    return ToolSettings(
        image=choose_image(options.image),
        profile=SecurityProfile.CAPABILITIES if own else asked,
        credentials=options.credentials,
        git_credentials=options.git_credentials,
        trust=options.trust,
        plain_http=tuple(sorted(registries.plain_http_hosts)),
    )
