# SPDX-License-Identifier: Apache-2.0
"""What stands between a request and the store: functions that change an object or refuse it.

``mutating`` functions get the object and return it as it shall be, with defaults filled in;
then the schema and the rules of names are checked; then ``validating`` functions look at the
result. Either kind refuses by raising ``Refusal``, for which ``statuses`` has a function per
text: ``denied_by_webhook`` for webhooks, ``forbidden`` for what the server itself checks.
A function looks at the resource first and lets alone what is none of its business. Of changes
of a status only the validating ones hear.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.resources import Resource


class Operation(enum.Enum):
    """What is asked for."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Objects(Protocol):
    """What admission may look up."""

    def find(self, resource: str, namespace: str, name: str) -> JsonObject | None:
        """The object of that resource (``pods``, ``taskruns.tekton.dev``), if there is one."""
        ...

    def all_of(self, resource: str, namespace: str = "") -> list[JsonObject]:
        """All objects of that resource, in one namespace or in all of them."""
        ...


class AdmissionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, by whom."""

    operation: Operation
    resource: Resource
    version: str
    """The version in which the object is given."""
    namespace: str
    name: str
    """Empty while the server has not made up a name."""
    old: JsonObject | None = None
    """The object before it is changed or deleted; it must not be changed."""
    subresource: str = ""
    user: str = ""
    dry_run: bool = False
    objects: Objects
    warnings: list[str]
    """What is told to the client although the request is done; functions add to it."""


Mutating = Callable[[JsonObject, AdmissionRequest], JsonObject]
"""Returns the object as it shall be; may change what it is given, which is a copy."""

Validating = Callable[[JsonObject, AdmissionRequest], None]
"""Returns when the object may be stored."""
