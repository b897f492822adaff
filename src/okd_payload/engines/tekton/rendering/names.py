# SPDX-License-Identifier: Apache-2.0
"""What the images of a plan are called as tasks of a Pipeline.

Tekton takes DNS labels only, and images have names with dots, underscores, slashes and upper
case. A name that fits stays; any other is made to fit and marked by a hash of the whole, so that
no two are ever the same. Names that mean something else in a Pipeline are marked too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

SNAPSHOT, IMPORTS, RELEASE, VERIFY, REPORT = "snapshot", "imports", "release", "verify", "report"
RELEASE_DIGEST, RELEASE_NAME = "release-digest", "release-name"
RELEASE_PULL_SPEC = "release-pull-spec"
RESERVED = frozenset(
    {SNAPSHOT, IMPORTS, RELEASE, VERIFY, REPORT}
    | {RELEASE_DIGEST, RELEASE_NAME, RELEASE_PULL_SPEC}
    | {"status"}  # `$(tasks.status)` is the state of all of them
)
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_UNFIT = re.compile(r"[^a-z0-9]+")
_KEPT = 46
_HASH_DIGITS = 16


def name_tasks(names: Iterable[str]) -> dict[str, str]:
    """The task of each of ``names``: no two are equal, and none depends on the others."""
    return {name: _name_task(name) for name in names}


def _name_task(name: str) -> str:
    if _LABEL.fullmatch(name) and name not in RESERVED and not _looks_marked(name):
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS]
    word = _UNFIT.sub("-", name.lower()).strip("-")[:_KEPT].strip("-")
    return f"{word or 'image'}-{mark}"


_MARKED = re.compile(rf".*-[0-9a-f]{{{_HASH_DIGITS}}}")


def _looks_marked(name: str) -> bool:
    """Whether ``name`` could be mistaken for one that was made to fit."""
    return _MARKED.fullmatch(name) is not None
