# SPDX-License-Identifier: Apache-2.0
"""What a request asks for besides the object: options, as the API names them, and the answer."""

from __future__ import annotations

import enum

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.resources import Resource

ADMINISTRATOR = "system:admin"
"""The user who may do everything."""


class FieldValidation(enum.Enum):
    """What happens to fields that nobody knows."""

    STRICT = "Strict"
    WARN = "Warn"
    IGNORE = "Ignore"


class Propagation(enum.Enum):
    """What happens to what an object owns when it is deleted."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


class PatchType(enum.Enum):
    """How a patch is written."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is about."""

    resource: Resource
    version: str
    """The version in which objects come and go."""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class WriteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How an object is written."""

    user: str = ADMINISTRATOR
    manager: str = ""
    """Who is said to own the fields that change."""
    dry_run: bool = False
    force: bool = False
    """Whether apply takes fields from others."""
    field_validation: FieldValidation = FieldValidation.WARN
    duplicates: tuple[str, ...] = ()
    """Fields that the body had twice, by their paths."""


class DeleteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How an object is deleted."""

    user: str = ADMINISTRATOR
    propagation: Propagation | None = None
    grace_seconds: int | None = None
    uid: str = ""
    revision: str = ""
    dry_run: bool = False


class ListOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects, and how many of them."""

    labels: str = ""
    fields: str = ""
    limit: int = 0
    token: str = ""
    """Where the page before ended."""
    revision: str = ""
    match: str = ""
    """``resourceVersionMatch``."""


class WatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes."""

    labels: str = ""
    fields: str = ""
    revision: str = ""
    match: str = ""
    initial: bool = False
    """``sendInitialEvents``."""
    bookmarks: bool = False
    seconds: float | None = None
    """How long; for ever by default."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request that was done is answered with."""

    document: JsonObject
    created: bool = False
    warnings: tuple[str, ...] = ()
