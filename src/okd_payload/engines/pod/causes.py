# SPDX-License-Identifier: Apache-2.0
"""Why a build in a pod is where it is, and what is done about it.

One table leads from a cause to a reaction, how often it is worth it, and what to advise. What
every pod of the run would meet again (a wrong image, a refused pod, no rights in the registry)
stops the run: 190 components would only say it 190 times.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec


class Cause(enum.Enum):
    """Why a build is where it is."""

    SUCCEEDED = "succeeded"
    RUNNING = "runs"
    PENDING = "waits to start"
    UNSCHEDULABLE = "no node has room for it"
    QUOTA = "the namespace's quota is used up"
    IMAGE_PULLING = "its image is not there yet"
    IMAGE_PULL = "its image could not be pulled"
    IMAGE_ABSENT = "its image cannot be had"
    EVICTED = "its pod was evicted"
    LOST = "its container was ended from outside"
    OUT_OF_MEMORY = "it ran out of memory"
    DELETED = "it was deleted"
    UNDELIVERED = "its image is not in the repository"
    SET_ASIDE = "it was cancelled by okd-payload"
    CANCELLED = "it was cancelled"
    TIMED_OUT = "it did not finish in time"
    NEVER_STARTED = "it did not start in time"
    BUILD = "the build failed"
    TRANSIENT = "the build failed for reasons of its surroundings"
    REGISTRY = "the pod could not reach the registry"
    ACCESS = "the pod has too few rights in the registry"
    UNFIT = "the pod's image cannot build it"
    CONFIGURATION = "its container could not be made"
    REFUSED = "the cluster refused its pod"
    INVALID = "the cluster does not take it"
    CONTROLLER = "the controller could not make its pod"
    SILENT = "the controller does not answer"


class Reaction(enum.Enum):
    """What is done about it."""

    TAKE = "take"
    WAIT = "wait"
    RETRY = "retry"
    """Make another attempt."""
    ENLARGE = "enlarge"
    """Make another attempt with more memory."""
    FAIL = "fail"
    """This image cannot be built; others can."""
    STOP = "stop"
    """No image can be built like that."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about a cause, how often, and what afterwards."""

    reaction: Reaction
    most: int = 0
    """How many attempts may end so before it is over."""
    afterwards: Reaction = Reaction.FAIL
    hint: str = ""


_IMAGE_HINT = (
    "name an image that the nodes can pull with --image or OKD_PAYLOAD_IMAGE, and let the service "
    "account have the pull secret that it needs"
)
_ADMISSION_HINT = (
    "`okd-payload doctor --cluster` says what is missing; --pod-security chooses what build pods "
    "ask for"
)
RULES: Mapping[Cause, Rule] = {
    Cause.SUCCEEDED: Rule(reaction=Reaction.TAKE),
    Cause.RUNNING: Rule(reaction=Reaction.WAIT),
    Cause.PENDING: Rule(reaction=Reaction.WAIT),
    Cause.UNSCHEDULABLE: Rule(reaction=Reaction.WAIT),
    Cause.QUOTA: Rule(reaction=Reaction.WAIT),
    Cause.IMAGE_PULLING: Rule(reaction=Reaction.WAIT),
    Cause.IMAGE_PULL: Rule(
        reaction=Reaction.RETRY, most=3, afterwards=Reaction.STOP, hint=_IMAGE_HINT
    ),
    Cause.IMAGE_ABSENT: Rule(reaction=Reaction.STOP, hint=_IMAGE_HINT),
    Cause.EVICTED: Rule(
        reaction=Reaction.RETRY,
        most=6,
        hint="its node is short of memory or disk: give the component larger requests",
    ),
    Cause.LOST: Rule(
        reaction=Reaction.RETRY, most=6, hint="nodes go away, or somebody deletes its pods"
    ),
    Cause.OUT_OF_MEMORY: Rule(
        reaction=Reaction.ENLARGE,
        most=4,
        hint="set `resources.limits.memory` of the component to what it needs",
    ),
    Cause.DELETED: Rule(reaction=Reaction.RETRY, most=3, hint="somebody deletes what is built"),
    Cause.UNDELIVERED: Rule(
        reaction=Reaction.RETRY,
        most=2,
        hint="pods and this machine must mean the same repository by the name in --repository",
    ),
    Cause.SET_ASIDE: Rule(
        reaction=Reaction.RETRY, most=3, hint="another build of the stream was interrupted"
    ),
    Cause.CANCELLED: Rule(reaction=Reaction.FAIL, hint="run the same command again to build it"),
    Cause.TIMED_OUT: Rule(
        reaction=Reaction.FAIL, hint="give builds longer with --timeout, or the component more room"
    ),
    Cause.NEVER_STARTED: Rule(
        reaction=Reaction.FAIL, hint="see what keeps its pod from starting, or wait with --timeout"
    ),
    Cause.BUILD: Rule(reaction=Reaction.FAIL),
    Cause.TRANSIENT: Rule(reaction=Reaction.FAIL),
    Cause.REGISTRY: Rule(
        reaction=Reaction.RETRY,
        most=3,
        afterwards=Reaction.STOP,
        hint="--repository must name a registry as pods reach it; `okd-payload doctor --cluster` "
        "tries it",
    ),
    Cause.ACCESS: Rule(
        reaction=Reaction.STOP,
        hint="name a Secret with credentials that may push there, with --credentials",
    ),
    Cause.UNFIT: Rule(reaction=Reaction.STOP),
    Cause.CONFIGURATION: Rule(reaction=Reaction.STOP, hint=_ADMISSION_HINT),
    Cause.REFUSED: Rule(reaction=Reaction.STOP, hint=_ADMISSION_HINT),
    Cause.INVALID: Rule(reaction=Reaction.STOP, hint=_ADMISSION_HINT),
    Cause.CONTROLLER: Rule(
        reaction=Reaction.RETRY, most=3, afterwards=Reaction.STOP, hint=_ADMISSION_HINT
    ),
    Cause.SILENT: Rule(
        reaction=Reaction.STOP, hint="look whether the controller runs, and what its log says"
    ),
}
"""Every cause, and what is done about it."""
