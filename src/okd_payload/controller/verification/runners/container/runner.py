# SPDX-License-Identifier: Apache-2.0
"""Runs in a container image: with buildah on this machine, or as a pod of the cluster.

On this machine it is a local program like any other, which makes a container and removes it, so
it survives a restart of the controller and leaves the same files.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.runner import RunContext, Runner, RunUpdate
from okd_payload.controller.verification.runners.command import CommandRunner
from okd_payload.controller.verification.runners.command.sandbox import Confinement
from okd_payload.controller.verification.runners.container.pod import PodRunner

_STORAGE = ("REGISTRY_AUTH_FILE", "CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER", "XDG_RUNTIME_DIR")
_SCRIPT = """
image=$1; shift
container=$(buildah from --pull=missing "$image") || exit 126
trap 'buildah rm "$container" >/dev/null 2>&1' EXIT
trap 'exit 143' TERM
set -- -- "$container" "$@"
for name in $OKD_PAYLOAD_VARIABLES; do set -- --env "$name=$(printenv "$name")" "$@"; done
buildah run --isolation chroot --volume "$ARTIFACT_DIR:/artifacts:rw" \\
  --env ARTIFACT_DIR=/artifacts --env HOME=/tmp "$@"
"""


class ContainerRunner:
    """Implements ``Runner`` with containers, wherever a verification wants them."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._near = _BuildahRunner(surroundings)
        self._far = PodRunner(surroundings)

    async def start(self, context: RunContext) -> RunUpdate:
        """Start the container, unless that was done. Raises OkdPayloadError."""
        return await self._runner_of(context).start(context)

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far it is. Raises OkdPayloadError."""
        return await self._runner_of(context).poll(context)

    async def cancel(self, context: RunContext) -> None:
        """End it. Raises OkdPayloadError."""
        await self._runner_of(context).cancel(context)

    def _runner_of(self, context: RunContext) -> Runner:
        where = context.verification.runner.settings.get("where", "")
        is_far = where == "cluster" or (not where and self._surroundings.cluster is not None)
        return self._far if is_far else self._near


class _BuildahRunner(CommandRunner):
    """The container as a local program."""

    def command_of(self, context: RunContext) -> Sequence[str]:
        """Make the container, run the command in it, and remove it."""
        image = context.verification.runner.settings.get("image", "")
        return ("/bin/sh", "-c", _SCRIPT, "sh", image, *context.verification.runner.arguments)

    def confinement(self, context: RunContext) -> Confinement:
        """None: buildah needs its storage and logins, and its container is one."""
        return msgspec.structs.replace(super().confinement(context), wish="no")

    def inherited(self, context: RunContext) -> Sequence[str]:
        """What says where images and logins are, too."""
        return (*super().inherited(context), *_STORAGE)
