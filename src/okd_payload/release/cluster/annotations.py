# SPDX-License-Identifier: Apache-2.0
"""The annotations of an object, as the operator gets at them.

One value that is not text hides all annotations of its object; a null counts as empty text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

INCLUDE: Final = "include.release.openshift.io/"
EXCLUDE: Final = "exclude.release.openshift.io/"
FEATURE_SET: Final = "release.openshift.io/feature-set"
FEATURE_GATE: Final = "release.openshift.io/feature-gate"
MAJOR_VERSION: Final = "release.openshift.io/major-version"
CAPABILITY: Final = "capability.openshift.io/name"
CREATE_ONLY: Final = "release.openshift.io/create-only"
DELETE: Final = "release.openshift.io/delete"


def read_annotations(value: Mapping[str, Any]) -> dict[str, str] | None:
    """The annotations of the object ``value``; None when it has none that can be read."""
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict):
        return None
    texts = {key: "" if text is None else text for key, text in annotations.items()}
    return texts if all(isinstance(text, str) for text in texts.values()) else None


def capabilities_of(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """The capabilities that an object belongs to, untrimmed and repeated as they are written."""
    text = annotations.get(CAPABILITY, "")
    return tuple(text.split("+")) if text else ()
