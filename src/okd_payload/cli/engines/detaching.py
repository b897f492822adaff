# SPDX-License-Identifier: Apache-2.0
"""Leaving a build to the cluster: a snapshot, and a coordinator that builds it there.

The pod on the cluster has nothing of this machine: the snapshot brings the sources, and the words
of its command bring every choice that was made here.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec

from okd_payload.build.plan import ImportNode, Plan
from okd_payload.cli.cluster_options import connect
from okd_payload.cli.engines import DETACHING_ENGINE, LOCAL_ENGINE
from okd_payload.cli.engines.carrying_out import Undertaking, bring_sources
from okd_payload.errors import InputError

if TYPE_CHECKING:
    from okd_payload.build.snapshot.sources import RecordingSources
    from okd_payload.cli.engine_options import EngineOptions
    from okd_payload.cli.services import Services
    from okd_payload.cli.session import Session


class Detached(msgspec.Struct, frozen=True, kw_only=True):
    """A build that the cluster goes on with."""

    run: str
    namespace: str
    snapshot: str


def check_detaching(options: EngineOptions, *, wants_report: bool) -> None:
    """Raise InputError for a build that cannot be left to the cluster.

    The pod that plans is a TaskRun with TaskRuns of its own. What other engines make on a cluster
    ends by itself, but nobody there makes the next of it when this program is gone.
    """
    if options.engine == LOCAL_ENGINE:
        raise InputError(
            f"--detach leaves a build to a cluster, and --engine {LOCAL_ENGINE} builds here",
            hint="build with --engine tekton, or start this command without --detach where it may "
            "go on: in tmux, or by `systemd-run --user`",
        )
    if options.engine != DETACHING_ENGINE:
        raise InputError(
            f"--detach goes with --engine {DETACHING_ENGINE}: with --engine {options.engine} this "
            "program makes each build when those before it are done",
            hint=f"build with --engine {DETACHING_ENGINE}, or without --detach: when this program "
            "is ended, the same command goes on where it ended",
        )
    if wants_report:
        raise InputError(
            "--detach does not wait for the build that --report would tell of",
            hint="the same command without --detach makes the report when the cluster is done",
        )


async def detach(
    session: Session,
    services: Services,
    undertaking: Undertaking,
    *,
    sources: RecordingSources | None,
    account: str,
    keep_going: bool,
) -> Detached:
    """Start a coordinator for ``session``. Raises OkdPayloadError when the cluster takes none."""
    from okd_payload.cli.engines.pods import tool_settings
    from okd_payload.cluster import kinds
    from okd_payload.engines.manifests import encode_manifest
    from okd_payload.engines.pod.tool import registry_words
    from okd_payload.engines.tekton.coordinator import Commission, make_coordinator
    from okd_payload.engines.tekton.preflight import check_cluster

    options = undertaking.engine
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(services.clock.now()))
    run = f"{moment}-{os.getpid()}"
    tool = tool_settings(options, undertaking.registries)
    async with connect(options.cluster) as cluster:
        namespace = options.cluster.namespace or cluster.namespace
        architecture = session.images.platform.architecture
        await check_cluster(cluster, namespace=namespace, architecture=architecture)
        snapshot = await bring_sources(session, undertaking.stream, sources, always=True)
        words = [
            *("build", "--snapshot", snapshot, "--repository", undertaking.stream.repository),
            *("--engine", options.engine, "--namespace", namespace),
            *options.to_words(),
            *("--image", tool.image, "--keep-task-runs", "--jobs", str(undertaking.job.jobs)),
            *(["--fail-fast"] if undertaking.job.fail_fast else []),
            *(["--keep-going"] if keep_going else []),
            *(word for name in undertaking.stream.forced for word in ("--force", name)),
            *registry_words(tool),
        ]
        commission = Commission(
            stream=session.plan.stream,
            run=run,
            words=tuple(words),
            account=account,
            runs_commands=_runs_commands(session.plan),
        )
        content = encode_manifest(make_coordinator(commission, tool))
        await cluster.create(kinds.TASK_RUN, content, namespace=namespace)
    return Detached(run=run, namespace=namespace, snapshot=snapshot)


def _runs_commands(plan: Plan) -> bool:
    return any(isinstance(node, ImportNode) and node.command for node in plan.nodes.values())
