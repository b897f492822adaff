# SPDX-License-Identifier: Apache-2.0
"""What of a deployment starts by itself: by the clock, by events, and by the stream's repository.

All of it runs one of two commands, ``build --engine tekton`` and ``deploy tekton``, on the stream
as its repository has it at that moment; so what starts by itself does what somebody would do by
hand, and can be tried by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.pod.accounts import COORDINATOR, DEPLOYER, DEPLOYER_ACCOUNT
from okd_payload.engines.pod.tool import ToolPod
from okd_payload.engines.tekton.deploying.access import named
from okd_payload.engines.tekton.deploying.network import admit_events
from okd_payload.engines.tekton.deploying.settings import DeploymentSettings
from okd_payload.engines.tekton.triggers.listener import (
    LISTENER_NAME,
    EventRuns,
    Signature,
    make_listener,
)
from okd_payload.engines.tekton.triggers.pods import (
    Coordination,
    coordinator_pod,
    follower_pod,
)
from okd_payload.engines.tekton.triggers.repositories import WatchedRepository
from okd_payload.engines.tekton.triggers.settings import StreamSource
from okd_payload.engines.tekton.triggers.starting import (
    make_cron_job,
    make_proposal_run,
    make_push_run,
)
from okd_payload.errors import InputError

DAILY, FOLLOWER = "okd-payload-build", "okd-payload-follow"


def make_starts(
    settings: DeploymentSettings,
    metadata: Metadata,
    repositories: Sequence[WatchedRepository],
) -> Iterator[Manifest]:
    """What starts builds and deployments. Raises InputError when nobody says of what.

    ``repositories`` are those that the listener knows.
    """
    source = settings.source
    if source is None:
        if settings.schedule or settings.listener or settings.follow:
            raise InputError(
                "what starts by itself has to know where the stream is",
                hint="name its repository: --source https://HOST/ORG/REPO@BRANCH",
            )
        return
    if settings.listener is not None:
        yield admit_events(metadata, LISTENER_NAME)
        yield from make_listener(
            settings.listener.forge,
            repositories,
            _event_runs(settings, source, metadata),
            signature=Signature(secret=settings.listener.secret, key=settings.listener.key),
            metadata=metadata,
        )
    if settings.schedule is not None:
        yield make_cron_job(
            _coordinator(settings, source),
            source,
            settings.schedule,
            account=COORDINATOR,
            metadata=named(metadata, DAILY, "build what changed, by the clock"),
        )
    if settings.follow is not None:
        yield make_cron_job(
            follower_pod(source, settings.tool, options=settings.follow_words),
            source,
            settings.follow,
            account=DEPLOYER,
            metadata=named(metadata, FOLLOWER, DEPLOYER_ACCOUNT.purpose),
        )


def _event_runs(
    settings: DeploymentSettings, source: StreamSource, metadata: Metadata
) -> EventRuns:
    choice, proposal = settings.listener, None
    if choice is not None and choice.base_release:
        proposal = make_proposal_run(
            source,
            settings.tool,
            base_release=choice.base_release,
            depth=choice.depth,
            metadata=metadata,
        )
    push = make_push_run(_coordinator(settings, source), source, metadata=metadata)
    return EventRuns(push=push, proposal=proposal)


def _coordinator(settings: DeploymentSettings, source: StreamSource) -> ToolPod:
    if settings.makes_releases and not settings.releases:
        raise InputError(
            "nobody says where releases go that are made without anybody asking",
            hint="name a repository with --releases, or under publish in the stream file",
        )
    work = Coordination(
        namespace=settings.namespace,
        repository=settings.repository,
        releases=settings.releases,
        makes_releases=settings.makes_releases,
        jobs=settings.jobs,
    )
    return coordinator_pod(work, source, settings.tool)
