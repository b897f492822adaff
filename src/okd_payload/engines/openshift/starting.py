# SPDX-License-Identifier: Apache-2.0
"""Starting builds on the cluster, and stopping them.

The server names a build, so asking twice would make two. When the answer to a request is lost,
the build that it may have made is looked for by its key before another one is started.
"""

from __future__ import annotations

import contextlib

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.openshift.build_config import BuildSettings, request_of
from okd_payload.engines.openshift.objects import (
    CANCELLATION,
    BuildConfig,
    BuildRequest,
    decode_build,
)
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.labels import KEY, key_value, selector
from okd_payload.errors import (
    BuildError,
    ClusterUnavailable,
    Conflict,
    NoSuchObject,
    QuotaExceeded,
    Refused,
    TransientBuildError,
)


async def define_build(cluster: Cluster, config: BuildConfig) -> None:
    """Make or change ``config``. Raises BuildError when it is somebody else's."""
    name = config.metadata.name
    try:
        await cluster.apply(kinds.BUILD_CONFIG, msgspec.json.encode(config))
    except Conflict as error:
        raise BuildError(
            f"BuildConfig {name} of namespace {cluster.namespace} is somebody else's: "
            f"{error.message}",
            hint="use it as it is with --existing, or build in a namespace of your own",
        ) from error
    except Refused as error:
        raise BuildError(f"BuildConfig {name}: {error.message}", hint=error.hint) from error


async def start(
    cluster: Cluster,
    step: BuildStep,
    name: str,
    settings: BuildSettings,
    *,
    arguments: bool = False,
) -> bytes:
    """A new build of ``step`` by the BuildConfig called ``name``.

    Raises BuildError when the cluster refuses it, TransientBuildError when it cannot now.
    """
    request = request_of(step, name, settings, arguments=arguments)
    try:
        return await _instantiate(cluster, request)
    except ClusterUnavailable as error:
        found = await _find_begun(cluster, step)
        if found is None:
            raise TransientBuildError(error.message, hint=error.hint) from error
        return found
    except QuotaExceeded as error:
        raise TransientBuildError(error.message, hint=error.hint) from error
    except NoSuchObject as error:
        raise BuildError(
            f"namespace {cluster.namespace} has no BuildConfig {name}",
            hint="leave --existing away, and the BuildConfig is made",
        ) from error
    except Refused as error:
        raise BuildError(
            f"no build of {step.component} can start: {error.message}", hint=error.hint
        ) from error


async def cancel(cluster: Cluster, name: str) -> None:
    """Ask the cluster to stop the build called ``name``; one that is gone has stopped."""
    with contextlib.suppress(NoSuchObject):
        await cluster.patch(kinds.OPENSHIFT_BUILD, name, CANCELLATION)


async def _instantiate(cluster: Cluster, request: BuildRequest) -> bytes:
    kind = kinds.instantiation(request.metadata.name)
    return await cluster.create(kind, msgspec.json.encode(request))


async def _find_begun(cluster: Cluster, step: BuildStep) -> bytes | None:
    """A build of ``step`` that is not over, if there is one."""
    key = key_of_step(step)
    listed = await cluster.list(kinds.OPENSHIFT_BUILD, labels=selector({KEY: key_value(key)}))
    for content in listed.items:
        build = decode_build(content)
        if build.key == key and not build.is_over:
            return content
    return None
