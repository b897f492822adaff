# SPDX-License-Identifier: Apache-2.0
"""Patches that count the items of a list.

``/spec/tasks/3/...`` is whatever task is the fourth today. A ``test`` operation before it, which
looks at what is there, makes the patch fail instead of changing another item, and is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.subject import Subject
from okd_payload.issues import Issue

_INDEX = re.compile(r"^(?P<above>.*?/\d+)(?:/|$)")
_TEST = "test"


def check_indexes(subject: Subject) -> Iterator[Issue]:
    """Operations of JSON patches that go through an index nothing has tested."""
    for operations in subject.operations:
        tested: set[str] = set()
        for operation in operations:
            match = _INDEX.match(operation.path)
            if match is None:
                continue
            if operation.verb == _TEST:
                tested.add(match["above"])
            elif match["above"] not in tested:
                yield codes.INDEX_PATCH.issue(
                    f"{operation.verb} {operation.path} counts the items of a list",
                    file=operation.file,
                    line=operation.line,
                    hint=f"put a `test` of {match['above']} before it, or patch by name",
                )
