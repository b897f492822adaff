# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release``: making, showing and checking releases.

Flags that ``oc adm release`` has too keep their names and their meaning.
"""

from __future__ import annotations

from okd_payload.cli.lazy_group import LazyGroup

_COMMANDS = {
    "new": "Make a release of a stream, a repository, a release or folders.",
    "info": "Show what a release is made of, or how two differ.",
    "extract": "Write the manifests, tools or sources of a release to a folder.",
    "diff": "Show in what two releases differ.",
    "changelog": "Tell what changed between two releases.",
    "mirror": "Bring a release to other registries, or into a directory.",
    "lint": "Find everything that is wrong with a release.",
    "verify": "Look whether a release is whole, and signed by keys you trust.",
    "accept": "Tell whether a cluster on one release would take another.",
    "sign": "Sign releases, and put the signatures where clusters look.",
    "keyring": "Write the keys by which clusters trust later releases.",
}
"""What the list of commands says of each, in the order of a release's life."""

release = LazyGroup(
    "release",
    modules={name: f"okd_payload.cli.release.{name}:{name}" for name in _COMMANDS},
    summaries=_COMMANDS,
    help="Make, show and check release payloads.",
)
