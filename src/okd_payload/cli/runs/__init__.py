# SPDX-License-Identifier: Apache-2.0
"""``okd-payload runs``: builds that run on a cluster, whoever started them."""

from __future__ import annotations

from okd_payload.cli.lazy_group import LazyGroup

_COMMANDS = {
    "list": "Show the runs on a cluster, and how far they are.",
    "attach": "Follow a detached run to its end.",
    "cancel": "End a run and everything that it has started.",
    "prune": "Delete what finished runs left on a cluster.",
}
"""What the list of commands says of each, in the order of a run's life."""

runs = LazyGroup(
    "runs",
    modules={name: f"okd_payload.cli.runs.{name}:{name}_command" for name in _COMMANDS},
    summaries=_COMMANDS,
    help="Look after builds that run on a cluster.",
)
