# SPDX-License-Identifier: Apache-2.0
"""``okd-payload controller``: ask a controller, and tell it what to do.

Everything goes through the interface for programs: of a server, or, directly on a database, of
one in this process. So both check the same and write the same audit log.
"""

from __future__ import annotations

from okd_payload.cli.lazy_group import LazyGroup

_ACTIONS = {
    "accept": "Take a release for good, whatever its runs say.",
    "reject": "Take a release for bad, whatever its runs say.",
    "retry": "Verify a release anew, or make anew what could not be made.",
    "keep": "Pin a release: it is never removed.",
    "stop-keeping": "Let retention judge a release again.",
    "withdraw": "Delete a release softly: who has it can still pull it.",
    "restore": "Take back that a release was withdrawn.",
    "use": "Say that you use a release: it is not removed while you do.",
    "stop-using": "Take back that you use a release.",
    "approve": "Say that a team takes a release for good.",
    "finish": "Say how a manual run went.",
    "publish": "Publish a release in one of the ways of its stream.",
    "roll-back": "Take back what was published last.",
    "pause": "Begin no release of a stream until somebody says go on.",
    "resume": "Let a stream go on.",
    "rebuild": "Make a release of a stream although nothing changed.",
}
_READING = {
    "streams": "Show the release streams, and why nothing is new.",
    "releases": "Show releases, the newest first.",
    "show": "Show one release with everything that is recorded of it.",
    "events": "Show what happened, the newest first.",
}
_PASSES = {
    "preview": "Print every action that a pass over the streams would take.",
    "sync": "Pass over the streams once, where no server acts.",
}
_SUMMARIES = {
    **_READING,
    **_ACTIONS,
    **_PASSES,
    "import": "Take over what OpenShift's release controller has.",
    "token": "Make, list and revoke the tokens that writing needs.",
    "webhook": "Show how webhooks fare, and have them told again.",
}
"""What the list of commands says of each: reading, judging, publishing, streams, access."""

controller = LazyGroup(
    "controller",
    modules={
        **{name: f"okd_payload.cli.controller.reading:{name}" for name in _READING},
        **{
            name: f"okd_payload.cli.controller.acting:{name.replace('-', '_')}" for name in _ACTIONS
        },
        **{name: f"okd_payload.cli.controller.passes:{name}" for name in _PASSES},
        "import": "okd_payload.cli.controller.taking_over:import_command",
        "token": "okd_payload.cli.controller.token:token",
        "webhook": "okd_payload.cli.controller.webhook:webhook",
    },
    summaries=_SUMMARIES,
    help="Ask a controller, and tell it what to do.",
)
