# SPDX-License-Identifier: Apache-2.0
"""What people may do on pages: each deed with its role, what it asks for and what it tells.

What is lost by one has to be confirmed, in the words that stand here. Deeds are done by the very
functions that the interface for programs calls.
"""

from __future__ import annotations

import msgspec

from okd_payload.web.access.roles import Role


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody may do."""

    word: str
    """In addresses, and in the interface for programs."""
    label: str
    role: Role = Role.MANAGER
    explains: str
    """What it does."""
    needs_reason: bool = False
    loses: str = ""
    """What whoever does it has to say yes to."""
    asks: str = ""
    """What else is asked: the name of a field of the form."""
    done: str
    """What is said once it is done."""


ACCEPT = Deed(
    word="accept",
    label="Accept",
    explains="Take it for good, whatever its jobs say. It is then offered to clusters, and"
    " published where nothing else is missing.",
    done="It is accepted.",
)
REJECT = Deed(
    word="reject",
    label="Reject",
    explains="Take it for bad, whatever its jobs say. Clusters are not offered it.",
    done="It is rejected, for the reason that you gave.",
    needs_reason=True,
)
RETRY = Deed(
    word="retry",
    label="Retry",
    explains="Begin its jobs anew, or make its payload anew where that had failed.",
    done="It is tried again from the beginning.",
    loses="What its jobs have said so far does not count any more.",
)
KEEP = Deed(
    word="keep",
    label="Keep",
    explains="Pin it: it is never removed, and counts towards no limit.",
    done="It is kept until somebody stops that.",
)
STOP_KEEPING = Deed(
    word="stop-keeping",
    label="Stop keeping",
    explains="Let the rules of retention judge it again; they may remove it.",
    done="It is not kept any more: its expiry stands below.",
)
WITHDRAW = Deed(
    word="withdraw",
    label="Withdraw",
    explains="Delete it softly: who has it can still pull it, and it can be restored for a while.",
    done="It is withdrawn.",
    loses="Clusters are not offered it any more, and it is deleted when its time of grace is over.",
)
RESTORE = Deed(
    word="restore",
    label="Restore",
    explains="Take back that it was withdrawn.",
    done="It is back. Where it would have gone again at once, it is kept now.",
)
APPROVE = Deed(
    word="approve",
    label="Approve",
    explains="Say that your team takes it for good. Publications may wait for that.",
    done="Your approval is written down.",
    role=Role.VERIFIER,
    asks="team",
)
PUBLISH = Deed(
    word="publish",
    label="Publish",
    explains="Publish it in one of the ways of its stream, as soon as signatures and approvals are"
    " there; the soak time is not waited for. Signatures and copies cannot be taken back.",
    done="It is published as soon as its gate allows: see below, at publications.",
    role=Role.PUBLISHER,
    asks="publication",
)
PAUSE = Deed(
    word="pause",
    label="Pause",
    explains="Begin no release until somebody says go on. What was begun goes on.",
    done="The stream is paused.",
    needs_reason=True,
)
RESUME = Deed(
    word="resume",
    label="Go on",
    explains="Let releases be begun again.",
    done="The stream goes on.",
)
REBUILD = Deed(
    word="rebuild",
    label="Rebuild",
    explains="Make a release although no image has changed.",
    done="A release is made, as soon as nothing stands in its way.",
)
ROLL_BACK = Deed(
    word="roll-back",
    label="Roll back",
    explains="Put what stood there before in the place of what is published now. What is rolled"
    " back is not published again by itself.",
    done="It is rolled back with the next pass: see below, at publications.",
    role=Role.PUBLISHER,
    asks="publication",
    loses="Whoever follows the publication gets the older release.",
)
FINISH = Deed(
    word="finish",
    label="Say how it went",
    explains="A person carries out this job and says how it went. That cannot be taken back.",
    done="The outcome is written down.",
    role=Role.VERIFIER,
    asks="outcome",
)
TELL_AGAIN = Deed(
    word="tell-again",
    label="Tell it again",
    explains="Try at once what it has not taken, and go on from there.",
    done="It is told again, from where it was.",
    role=Role.ADMINISTRATOR,
)
PASS_OVER = Deed(
    word="pass-over",
    label="Pass over",
    explains="Leave out what it does not take, and tell it at once what follows.",
    done="That is passed over, and it is told what follows.",
    role=Role.ADMINISTRATOR,
    asks="event",
    loses="Whoever is behind the webhook never hears of this event.",
)
ON_RELEASES = (
    ACCEPT, REJECT, APPROVE, PUBLISH, RETRY, KEEP, STOP_KEEPING, WITHDRAW, RESTORE,
)  # fmt: skip
ON_STREAMS = (PAUSE, RESUME, REBUILD, ROLL_BACK)
ON_RUNS = (FINISH,)
ON_WEBHOOKS = (TELL_AGAIN, PASS_OVER)
