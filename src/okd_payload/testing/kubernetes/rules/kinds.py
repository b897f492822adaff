# SPDX-License-Identifier: Apache-2.0
"""The rules of the built-in kinds, by kind."""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.statuses import Cause


def decoding_problem(document: JsonObject) -> str:
    """What keeps the server from decoding an object at all; empty when nothing does."""
    return ""


def rule_problems(document: JsonObject) -> Iterator[Cause]:
    """Everything that an object breaks of the rules of its kind."""
    yield from ()


def change_problems(before: JsonObject, after: JsonObject) -> Iterator[Cause]:
    """Everything that must not change in an object of this kind, and does."""
    yield from ()
