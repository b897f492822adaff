# SPDX-License-Identifier: Apache-2.0
"""The plans that are rendered: of one stream, or of several variants beside each other."""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.build.declared_plan import declared_plan
from okd_payload.build.plan import Plan
from okd_payload.build.work_graph import work_graph
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog
from okd_payload.cli.services import Services
from okd_payload.cli.session import start_session
from okd_payload.cli.step.snapshot import find_variant
from okd_payload.cli.stream_options import StreamOptions
from okd_payload.engines.manifests import Manifest
from okd_payload.engines.tekton.rendering import (
    RenderSettings,
    Variant,
    render_pipeline,
    render_tasks,
)
from okd_payload.errors import InputError
from okd_payload.oci.platform import host_platform, parse_platform


async def plan_variants(
    services: Services, options: StreamOptions, names: tuple[str, ...], *, declared: bool
) -> tuple[Variant, ...]:
    """The streams ``names`` beside the one of ``options``, that one itself without any.

    With ``declared``, from their definitions alone. Raises OkdPayloadError.
    """
    if not names:
        return (await _plan(services, options, "", declared=declared),)
    if options.snapshot:
        raise InputError(
            "a snapshot is of one stream: --variant does not go with it",
            hint="render each variant from its own snapshot, or from the stream files",
        )
    stream = options.stream or Path()
    found = []
    for name in names:
        own = msgspec.structs.replace(options, stream=find_variant(stream, variant=name))
        found.append(await _plan(services, own, name, declared=declared))
    return tuple(found)


def render_variant(variant: Variant, settings: RenderSettings) -> tuple[Manifest, ...]:
    """The Tasks and the Pipeline of one plan. Raises InputError."""
    nodes = [variant.plan.nodes[name] for name in work_graph(variant.plan).waits]
    return (*render_tasks(nodes, settings.tool), render_pipeline(variant, settings))


async def _plan(
    services: Services, options: StreamOptions, name: str, *, declared: bool
) -> Variant:
    if declared:
        catalog, plan = _read_definitions(options)
    else:
        session = await start_session(services, options)
        catalog, plan = session.catalog, session.plan
    return Variant(
        name=name or plan.stream,
        plan=plan,
        publish=catalog.stream.publish,
        makes_releases=not catalog.stream.release.skip,
        is_exact=not declared,
        parameter=name,
    )


def _read_definitions(options: StreamOptions) -> tuple[Catalog, Plan]:
    kept = StreamOptions(
        stream=options.stream, platform=options.platform, repository=options.repository
    )
    if options != kept:
        raise InputError(
            "--declared-edges reads definitions alone",
            hint="leave away what says where sources are",
        )
    platform = parse_platform(options.platform) if options.platform else host_platform()
    catalog = load_catalog(options.stream or Path())
    return catalog, declared_plan(catalog, platform=platform)
