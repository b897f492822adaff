# SPDX-License-Identifier: Apache-2.0
"""The loop: who acts, what is looked at when, and doing what was decided.

Each stream has a pass of its own: look at the inputs and records, decide, carry out, let those
who follow (publishing, retention, schedules) do theirs. A pass writes nothing that it could not
write again, so a kill at any moment costs a pass and nothing else.
"""

from okd_payload.controller.service.passes import Follower, StreamPass, Verifier
from okd_payload.controller.service.service import Service

__all__ = ["Follower", "Service", "StreamPass", "Verifier"]
