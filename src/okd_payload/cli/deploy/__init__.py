# SPDX-License-Identifier: Apache-2.0
"""``okd-payload deploy``: bringing a cluster to where it builds a stream."""

from __future__ import annotations

from okd_payload.cli.lazy_group import LazyGroup

_COMMANDS = {
    "tekton": "Bring a namespace to where Tekton builds a stream in it.",
}
"""What the list of commands says of each."""

deploy = LazyGroup(
    "deploy",
    modules={name: f"okd_payload.cli.deploy.{name}:{name}" for name in _COMMANDS},
    summaries=_COMMANDS,
    help="Bring a cluster to where it builds a stream, and keep it there.",
)
