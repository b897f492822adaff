# SPDX-License-Identifier: Apache-2.0
"""What the tests deploy."""

from __future__ import annotations

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.pod.accounts import REGISTRY_CREDENTIALS
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.deploying.carry_out import CarriedOut, carry_out
from okd_payload.engines.tekton.deploying.composition import compose
from okd_payload.engines.tekton.deploying.objects import DesiredState
from okd_payload.engines.tekton.deploying.settings import DeploymentSettings
from okd_payload.engines.tekton.deploying.survey import survey
from okd_payload.engines.tekton.triggers.forges import GITHUB
from okd_payload.engines.tekton.triggers.repositories import WatchedRepository
from okd_payload.engines.tekton.triggers.settings import (
    ListenerChoice,
    read_schedule,
    read_source,
)

NAMESPACE = "builds"
WATCHED = (
    WatchedRepository(path="openshift/etcd", branch="release-4.20", components=("etcd",)),
    WatchedRepository(path="openshift/api", branch="", components=("api",)),
)


class Described(Manifest, frozen=True, kw_only=True):
    """A Task or Pipeline that says something."""

    spec: dict[str, str]


def make(kind: str, name: str, says: str = "nothing") -> Described:
    """An object of ``kind``, as rendered."""
    return Described(
        api_version="tekton.dev/v1",
        kind=kind,
        metadata=Metadata(name=name),
        spec={"description": says},
    )


RENDERED = (make("Task", "build"), make("Task", "release"), make("Pipeline", "small"))
PLAIN = DeploymentSettings(
    stream="small",
    namespace=NAMESPACE,
    repository="quay.test/small/content",
    releases="quay.test/small/release",
    tool=ToolSettings(image="quay.test/okd/tool:1", credentials=REGISTRY_CREDENTIALS),
)
EVERYTHING = msgspec.structs.replace(
    PLAIN,
    openshift=True,
    source=read_source("https://git.example.com/okd/streams@main", folder="small"),
    schedule=read_schedule("0 3 * * *", time_zone="Europe/Prague"),
    follow=read_schedule("*/15 * * * *", time_zone="Etc/UTC"),
    follow_words=("--namespace", NAMESPACE),
    listener=ListenerChoice(forge=GITHUB, base_release="quay.test/small/release:4.20"),
)


def desire(settings: DeploymentSettings = PLAIN, rendered=RENDERED) -> DesiredState:
    """The state that ``settings`` want."""
    return compose(settings, rendered, WATCHED)


async def deploy(cluster: Cluster, desired: DesiredState, *, overrule: bool = False) -> CarriedOut:
    """Deploy as the command does, without asking anybody."""

    async def look():
        return await survey(cluster, desired, overrule=overrule)

    return await carry_out(cluster, desired, await look(), again=look)
