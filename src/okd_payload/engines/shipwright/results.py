# SPDX-License-Identifier: Apache-2.0
"""What a pod of ours tells Shipwright: the image, or why there is none, in Shipwright's results.

A reason is one word, as Shipwright's own are, and says what kind of failure it was; the message
is for people. Both are read again from ``status.failureDetails`` of the BuildRun.
"""

from __future__ import annotations

from collections.abc import Mapping

from okd_payload.engines.pod.outcome import DIGEST_RESULT, Failure, FailureKind

SIZE_RESULT = "size"
REASON_RESULT = "reason"
MESSAGE_RESULT = "message"
RESULTS = {
    SIZE_RESULT: "Bytes of the image in the repository.",
    REASON_RESULT: "The kind of a failure, in one word.",
    MESSAGE_RESULT: "Why the build failed.",
}
"""What a step tells beside what all engines want to know."""

PATHS = {
    DIGEST_RESULT: "$(results.shp-image-digest.path)",
    SIZE_RESULT: "$(results.shp-image-size.path)",
    REASON_RESULT: "$(results.shp-error-reason.path)",
    MESSAGE_RESULT: "$(results.shp-error-message.path)",
}
"""The files from which Shipwright takes results."""


def result_words() -> tuple[str, ...]:
    """The options by which a step writes Shipwright's results."""
    return tuple(word for name, path in PATHS.items() for word in (f"--result-{name}", path))


def describe_failure(failure: Failure) -> dict[str, str]:
    """``failure`` as results."""
    message = f"{failure.message}\n{failure.hint}" if failure.hint else failure.message
    return {REASON_RESULT: _REASONS[failure.kind], MESSAGE_RESULT: message}


def read_failure(reason: str, message: str) -> Failure | None:
    """The failure in results; None for the words of other programs."""
    kind = _KINDS.get(reason)
    return Failure(kind=kind, message=message.strip()) if kind is not None else None


_REASONS: Mapping[FailureKind, str] = {
    FailureKind.BUILD: "BuildFailed",
    FailureKind.TRANSIENT: "TransientFailure",
    FailureKind.REGISTRY: "RegistryUnavailable",
    FailureKind.ACCESS: "RegistryAccessDenied",
    FailureKind.SURROUNDINGS: "UnfitImage",
}
_KINDS = {reason: kind for kind, reason in _REASONS.items()}
