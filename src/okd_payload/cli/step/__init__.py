# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step``: what the pods of a cluster run, one part of a build each.

Nothing here is hidden: whoever composes pipelines of their own calls the same commands.
"""

from __future__ import annotations

from okd_payload.cli.lazy_group import LazyGroup

_COMMANDS = {
    "snapshot": "Freeze a stream and store all that building it takes as one artifact.",
    "imports": "Copy the images of elsewhere that a snapshot needs.",
    "component": "Make the image of one component of a snapshot.",
    "batch": "Make some images of a snapshot, and what they stand on.",
    "build": "Build the one image that a step document describes.",
    "source": "Build an image of a folder that somebody else checked out.",
    "release": "Make and push the release of the images of a snapshot.",
    "payload": "Make the payload of a release stream, as its controller ordered it.",
    "verify": "Check a release that was pushed.",
    "probe": "Try in a pod whether images can be built there and pushed from there.",
    "report": "Tell what a run came to, also when some of it failed.",
}
"""What the list of commands says of each, in the order of a pipeline."""

step = LazyGroup(
    "step",
    modules={name: f"okd_payload.cli.step.{name}:{name}" for name in _COMMANDS},
    summaries=_COMMANDS,
    help="The parts of a build, each for a pod of its own.",
)
