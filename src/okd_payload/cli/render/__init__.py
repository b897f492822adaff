# SPDX-License-Identifier: Apache-2.0
"""``okd-payload render``: a stream as files for engines that run without this program."""

from __future__ import annotations

from okd_payload.cli.lazy_group import LazyGroup

_COMMANDS = {
    "tekton": "Write Tasks and a Pipeline for each stream, with kustomizations.",
    "shipwright": "Write a build strategy and a Build for each component.",
    "catalogue": "Write Tasks and Pipelines as hubs list them, and bundle them.",
    "gitops": "Write what lets Argo CD or Flux follow a repository.",
}
"""What the list of commands says of each."""

render = LazyGroup(
    "render",
    modules={name: f"okd_payload.cli.render.{name}:{name}" for name in _COMMANDS},
    summaries=_COMMANDS,
    help="Write a stream as files for engines that run without this program.",
)
