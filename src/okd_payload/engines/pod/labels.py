# SPDX-License-Identifier: Apache-2.0
"""How objects on a cluster are marked as ours, so that they are found and removed again.

Labels are what objects are selected by: the stream, the component, the run and the build key.
Their values are short and of few characters, so what does not fit is cut and told apart by a
hash. What people want to read stands in annotations, whole: the key, the source, the commit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from okd_payload.source.model import Commit

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "okd-payload"

PREFIX = "okd-payload.io/"
STREAM = PREFIX + "stream"
COMPONENT = PREFIX + "component"
RUN = PREFIX + "run"
KEY = PREFIX + "key"
ROLE = PREFIX + "role"
"""What the object is for: one of the two below."""
BUILD_ROLE = "build"
COORDINATOR_ROLE = "coordinator"

WHOLE_KEY = PREFIX + "build-key"
COMPONENT_NAME = PREFIX + "component-name"
SOURCE = PREFIX + "source"
COMMIT = PREFIX + "commit"
COMMAND = PREFIX + "command"

_KEY_DIGITS = 40
_LONGEST = 63
_HASH_DIGITS = 8
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


def label_value(text: str) -> str:
    """``text`` as the value of a label: itself where it is one, else told apart by a hash."""
    value = _UNFIT.sub("-", text).strip("-_.")
    if value == text and len(value) <= _LONGEST:
        return value
    mark = hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]
    kept = value[: _LONGEST - _HASH_DIGITS - 1].rstrip("-_.")
    return f"{kept}-{mark}" if kept else mark


def key_value(key: str) -> str:
    """The beginning of a build key, which is one digit too long for a label."""
    return key[:_KEY_DIGITS]


def selector(labels: Mapping[str, str]) -> str:
    """A label selector for objects of ours that have all of ``labels``."""
    wanted = {MANAGED_BY: MANAGER, **labels}
    return ",".join(f"{name}={value}" for name, value in sorted(wanted.items()))


def stream_labels(stream: str, *, role: str, run: str = "") -> dict[str, str]:
    """The labels of an object that serves ``stream``, and ``run`` where there is one."""
    labels = {MANAGED_BY: MANAGER, STREAM: label_value(stream), ROLE: role}
    return labels | {RUN: label_value(run)} if run else labels


def build_labels(*, stream: str, run: str, component: str, key: str) -> dict[str, str]:
    """The labels of whatever builds one component."""
    labels = stream_labels(stream, role=BUILD_ROLE, run=run)
    return labels | {COMPONENT: label_value(component), KEY: key_value(key)}


def build_annotations(*, component: str, key: str, commit: Commit | None) -> dict[str, str]:
    """What people want to know of whatever builds one component."""
    told = {COMPONENT_NAME: component, WHOLE_KEY: key}
    if commit is not None:
        told |= {SOURCE: commit.location, COMMIT: commit.id}
    return {name: value for name, value in told.items() if value}
