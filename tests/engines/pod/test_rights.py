# SPDX-License-Identifier: Apache-2.0
"""The table of rights: what it must not hold, and that the documentation has it word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.cluster import kinds
from okd_payload.engines.pod.rights import RIGHTS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "clusters.md"


def row(right):
    """The row of a right, as the page has it."""
    group = f".{right.kind.group}" if right.kind.group else ""
    plural, slash, part = right.resource.partition("/")
    return f"| `{plural}{group}{slash}{part}` | {', '.join(right.verbs)} | {right.reason} |"


@pytest.mark.parametrize("engine", RIGHTS)
def test_rights_are_documented(engine):
    """The page has a table for each engine with just these rights."""
    told = PAGE.read_text().split("\n### ")[1:]
    table = told[list(RIGHTS).index(engine)].splitlines()
    assert [line for line in table if line.startswith("| `")] == [
        row(right) for right in RIGHTS[engine]
    ]


@pytest.mark.parametrize("engine", RIGHTS)
def test_rights_are_few(engine):
    """No right on Secrets, on the whole cluster, on everything, or by which one gets at more."""
    for right in RIGHTS[engine]:
        assert right.kind.namespaced
        assert right.kind not in {kinds.SECRET, kinds.ROLE, kinds.ROLE_BINDING}
        assert not {"*", "escalate", "bind", "impersonate"} & set(right.verbs)
        assert right.kind != kinds.POD or "create" not in right.verbs


@pytest.mark.parametrize("engine", RIGHTS)
def test_no_right_is_listed_twice(engine):
    """Each kind, or part of one, stands once."""
    listed = [(right.kind, right.subresource) for right in RIGHTS[engine]]
    assert len(listed) == len(set(listed))
