# SPDX-License-Identifier: Apache-2.0
"""The TaskRun that plans and builds a stream where nobody waits for it.

It runs the same command that a person would, from a snapshot, with its own TaskRuns as children.
When it ends they stay until somebody prunes the run, because their logs are only there. It is
not tried again by itself: whoever starts the same build again goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.objects import EnvironmentVariable
from okd_payload.engines.pod.tool import ToolSettings, build_pod, plain_pod
from okd_payload.engines.tekton.objects import WrittenTaskRun, make_task_run
from okd_payload.engines.tekton.owner import OWNER_VALUE, OWNER_VARIABLE, RUN_VARIABLE

STEP = "coordinate"
TIMEOUT = 48 * 3600.0
"""Seconds for a whole stream; each of its builds has a time of its own."""


class Commission(msgspec.Struct, frozen=True, kw_only=True):
    """What a coordinator is asked to do."""

    stream: str
    run: str
    words: tuple[str, ...]
    """The command that it runs, without the program's name."""
    account: str
    """The service account, which may make TaskRuns."""
    runs_commands: bool
    """Whether imports of the stream run commands, which need the rights of a build."""


def coordinator_name(run: str) -> str:
    """The name of the coordinator of ``run``."""
    return f"okd-payload-{run.lower()}"


def make_coordinator(commission: Commission, tool: ToolSettings) -> WrittenTaskRun:
    """The TaskRun that carries out ``commission``. Raises InputError."""
    make_pod = build_pod if commission.runs_commands else plain_pod
    pod = make_pod(commission.words, tool)
    told = (
        EnvironmentVariable(name=OWNER_VARIABLE, value=OWNER_VALUE),
        EnvironmentVariable(name=RUN_VARIABLE, value=commission.run),
    )
    container = msgspec.structs.replace(
        pod.container, environment=(*pod.container.environment, *told)
    )
    return make_task_run(
        Metadata(
            name=coordinator_name(commission.run),
            labels=labels.stream_labels(
                commission.stream, role=labels.COORDINATOR_ROLE, run=commission.run
            ),
            annotations={labels.COMMAND: _shown(commission.words)},
        ),
        msgspec.structs.replace(pod, container=container),
        step=STEP,
        timeout=TIMEOUT,
        service_account=commission.account,
        uses_cluster=True,
    )


def _shown(words: Sequence[str]) -> str:
    return " ".join(words)
