# SPDX-License-Identifier: Apache-2.0
"""What a build in a pod says about its end, to whoever asked for the pod.

A pod can say little: 4096 bytes in all, as a few named results. After a success these are the
digest, the build key and the format that the pod's engine builds in; after a failure the error,
so that whoever waits for it can tell a broken Dockerfile from a registry that was away. Where
a pod ends without a word about it, its end came from outside.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.errors import (
    MissingTool,
    OkdPayloadError,
    RegistryUnavailable,
    StorageError,
    TransientBuildError,
    Unauthorized,
)

DIGEST_RESULT = "digest"
KEY_RESULT = "key"
FORMAT_RESULT = "format"
FAILURE_RESULT = "failure"
RESULTS = {
    DIGEST_RESULT: "Digest of the image's manifest in the repository.",
    KEY_RESULT: "Build key of the image.",
    FORMAT_RESULT: "The format that the engine in the pod builds in.",
    FAILURE_RESULT: "Why the build failed, as JSON; not written when it did not.",
}
"""The results of whatever builds one component, and what they say."""

_MOST_BYTES = 1500
"""Of a message, escaped twice: once here, and once in the pod's termination message."""


class FailureKind(enum.Enum):
    """What an error in a pod means for the one who waits."""

    BUILD = "build"
    """The same build would fail again."""
    TRANSIENT = "transient"
    """The same build may succeed when tried again."""
    REGISTRY = "registry"
    """The registry could not be reached from the pod."""
    ACCESS = "access"
    """The registry does not let the pod do what it must."""
    SURROUNDINGS = "surroundings"
    """No pod can build: its image lacks a program or is of another version."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error in a pod, for those outside."""

    kind: FailureKind
    message: str
    hint: str = ""


def failure_of(error: OkdPayloadError) -> Failure:
    """What ``error`` means for the one who waits, short enough for a result."""
    if isinstance(error, MissingTool):
        kind = FailureKind.SURROUNDINGS
    elif isinstance(error, RegistryUnavailable):
        kind = FailureKind.REGISTRY
    elif isinstance(error, Unauthorized):
        kind = FailureKind.ACCESS
    elif isinstance(error, TransientBuildError | StorageError):
        kind = FailureKind.TRANSIENT  # a full disk is that of one node
    else:
        kind = FailureKind.BUILD
    return Failure(kind=kind, message=_shorten(error.message), hint=_shorten(error.hint))


def encode_failure(failure: Failure) -> str:
    """``failure`` as a result."""
    return msgspec.json.encode(failure).decode()


def decode_failure(text: str) -> Failure | None:
    """The failure in a result; None when it holds none that we understand."""
    try:
        return msgspec.json.decode(text, type=Failure)
    except msgspec.MsgspecError:
        return None


def _shorten(text: str) -> str:
    """The beginning of ``text``: a message says first what failed, and shows then what it saw."""
    kept = text
    while (size := _size_as_result(kept)) > _MOST_BYTES:
        kept = kept[: len(kept) * _MOST_BYTES // (size + 1)]
    return kept if kept == text else f"{kept} ..."


def _size_as_result(text: str) -> int:
    return len(msgspec.json.encode(msgspec.json.encode(text).decode()))
