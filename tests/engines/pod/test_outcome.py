# SPDX-License-Identifier: Apache-2.0
"""What pods say about their failures: short enough, and understood on the other side."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload import errors
from okd_payload.engines.pod.outcome import (
    FailureKind,
    decode_failure,
    encode_failure,
    failure_of,
)

KINDS = [
    (errors.BuildError, FailureKind.BUILD),
    (errors.SourceError, FailureKind.BUILD),
    (errors.InputError, FailureKind.BUILD),
    (errors.TransientBuildError, FailureKind.TRANSIENT),
    (errors.StorageError, FailureKind.TRANSIENT),
    (errors.RegistryUnavailable, FailureKind.REGISTRY),
    (errors.Unauthorized, FailureKind.ACCESS),
    (errors.MissingTool, FailureKind.SURROUNDINGS),
]


@pytest.mark.parametrize(("error", "kind"), KINDS)
def test_each_error_has_its_kind(error: type[errors.OkdPayloadError], kind: FailureKind):
    """Whoever waits learns whether another attempt, or any other build, makes sense."""
    assert failure_of(error("x")).kind is kind


@given(st.text(max_size=20_000), st.text(max_size=20_000))
def test_a_failure_fits_a_result(message: str, hint: str):
    """However much was printed, the result fits what Tekton lets a container say."""
    encoded = encode_failure(failure_of(errors.BuildError(message, hint=hint)))
    assert len(msgspec.json.encode(encoded)) < 3500
    found = decode_failure(encoded)
    assert found is not None
    assert message.startswith(found.message.removesuffix(" ..."))


@given(st.text(max_size=100))
def test_what_another_tool_says_is_no_failure_of_ours(text: str):
    """A result that we cannot read says nothing, and does no harm."""
    assert decode_failure(text) is None
