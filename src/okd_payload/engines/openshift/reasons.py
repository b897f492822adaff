# SPDX-License-Identifier: Apache-2.0
"""What the end of an OpenShift build means: whether to try again, and what to do otherwise.

The cluster says why in ``status.reason``, one of a fixed list of words. Each is a cause that all
engines know. A word that is not in the list means a failure that the same build would have again.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.engines.openshift.objects import BuildStatus, Phase
from okd_payload.engines.pod.causes import RULES, Cause, Reaction
from okd_payload.errors import BuildError, MissingTool, OkdPayloadError, TransientBuildError


class Reason(msgspec.Struct, frozen=True):
    """What one word means."""

    cause: Cause
    meaning: str
    hint: str = ""


_SECRET_HINT = "name a secret that is in the project with --credentials"  # noqa: S105 - a hint
_QUOTA_HINT = "look at quota, limits and the rights of the service account in the project"

REASONS: Mapping[str, Reason] = {
    "BuildPodDeleted": Reason(Cause.LOST, "its pod was deleted before it was done"),
    "BuildPodEvicted": Reason(Cause.EVICTED, "its pod was evicted: the node had too little left"),
    "BuildPodExists": Reason(Cause.LOST, "a pod of an earlier build is in its way"),
    "CancelBuildFailed": Reason(Cause.LOST, "it could not be cancelled"),
    "CancelledBuild": Reason(Cause.CANCELLED, "somebody cancelled it", "build it again"),
    "CannotCreateBuildPod": Reason(Cause.CONTROLLER, "its pod could not be made", _QUOTA_HINT),
    "CannotCreateBuildPodSpec": Reason(
        Cause.INVALID, "its pod could not be thought out", _QUOTA_HINT
    ),
    "CannotRetrieveServiceAccount": Reason(
        Cause.REFUSED,
        "its service account could not be read",
        "make the service account that builds run as (`builder` by default)",
    ),
    "DockerBuildFailed": Reason(Cause.BUILD, "an instruction of its Dockerfile failed"),
    "ExceededRetryTimeout": Reason(
        Cause.CONTROLLER, "the cluster gave up starting it", _QUOTA_HINT
    ),
    "FailedContainer": Reason(Cause.BUILD, "a container of its pod failed"),
    "FetchImageContentFailed": Reason(Cause.TRANSIENT, "files of an image could not be copied"),
    "FetchSourceFailed": Reason(
        Cause.TRANSIENT,
        "its source could not be cloned",
        "a private repository needs a secret of the project: name it with --git-credentials",
    ),
    "GenericBuildFailed": Reason(Cause.BUILD, "it failed"),
    "InvalidContextDirectory": Reason(
        Cause.BUILD,
        "its source has no such context directory",
        "correct the context directory of the component",
    ),
    "InvalidImageReference": Reason(
        Cause.BUILD,
        "an image that it names means nothing in the project",
        "look at the image streams of the project: the tag must be there before the build",
    ),
    "InvalidOutputReference": Reason(
        Cause.INVALID,
        "the image stream that it shall push to is not there",
        "make it: `oc create imagestream NAME`",
    ),
    "ManageDockerfileFailed": Reason(Cause.BUILD, "its Dockerfile could not be rewritten"),
    "MissingPushSecret": Reason(
        Cause.ACCESS, "there is no secret with which it may push", _SECRET_HINT
    ),
    "NoBuildContainerStatus": Reason(Cause.LOST, "its pod never said how it is"),
    "OutOfMemoryKilled": Reason(Cause.OUT_OF_MEMORY, "it ran out of memory"),
    "PostCommitHookFailed": Reason(Cause.BUILD, "the hook after it failed"),
    "PullBuilderImageFailed": Reason(Cause.TRANSIENT, "an image could not be pulled"),
    "PushImageToRegistryFailed": Reason(Cause.TRANSIENT, "its image could not be pushed"),
    "UnresolvableEnvironmentVariable": Reason(Cause.BUILD, "a variable refers to nothing"),
}
"""Every reason that the API knows, but ``Error``, which says no more than the phase."""

_UNKNOWN = Reason(Cause.BUILD, "it failed")
_SHOWN_LINES = 12


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A build that came to nothing: why, and what to say about it."""

    cause: Cause
    message: str
    hint: str

    def to_error(self, reaction: Reaction) -> OkdPayloadError:
        """The error when ``reaction`` is what is left to do.

        A project in which nothing can be built stops the run, like a machine without buildah.
        """
        if reaction is Reaction.STOP:
            return MissingTool(self.message, hint=self.hint)
        if self.cause is Cause.TRANSIENT:
            return TransientBuildError(self.message, hint=self.hint)
        return BuildError(self.message, hint=self.hint)


def failure_of(component: str, build: str, status: BuildStatus, *, log: str = "") -> Failure:
    """What the end of the build called ``build`` means; ``log`` is how its log ends."""
    reason = REASONS.get(status.reason, _UNKNOWN)
    if status.phase == Phase.CANCELLED.value:
        reason = REASONS["CancelledBuild"]
    said = f" ({status.message.rstrip('.')})" if status.message else ""
    lines = [f"build {build} of {component} failed: {reason.meaning}{said}"]
    lines += [f"  {line}" for line in (log or status.log_snippet).splitlines()[-_SHOWN_LINES:]]
    hint = reason.hint or RULES[reason.cause].hint
    hint = hint or f"`okd-payload logs {component}` shows everything"
    return Failure(cause=reason.cause, message="\n".join(lines), hint=hint)
