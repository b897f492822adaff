# SPDX-License-Identifier: Apache-2.0
"""Which build arguments a Dockerfile takes, and which a component gives it."""

from __future__ import annotations

from okd_payload.catalog.component import Argument, Component, Origin
from okd_payload.catalog.dockerfile import (
    declared_arguments,
    parse_dockerfile,
    select_arguments,
    unconsumed_arguments,
)

_DOCKERFILE = parse_dockerfile(
    'ARG A=1 B\nFROM a\nARG C="x y" D\nONBUILD ARG E\nFROM b\nARG F=${A:-z}\n', path="D"
)


def test_declared_arguments_are_found_everywhere() -> None:
    """Global, per stage, several in one instruction, and in triggers."""
    assert declared_arguments(_DOCKERFILE) == frozenset("ABCDEF")


def test_unconsumed_arguments() -> None:
    """An argument that nothing declares and no builder knows is named once."""
    names = ["A", "TYPO", "HTTP_PROXY", "no_proxy", "TARGETARCH", "TYPO", "ANOTHER"]
    arguments = [Argument(name) for name in names]
    assert unconsumed_arguments(_DOCKERFILE, arguments) == ["ANOTHER", "TYPO"]


def test_offered_arguments_are_given_where_they_are_declared() -> None:
    """The component's own values win, the later of equal names; offers need a declaration."""
    component = Component(
        name="c",
        tag="c",
        origin=Origin("c.yaml"),
        build_arguments=(Argument("C", "old"), Argument("X", "own"), Argument("C", "new")),
        offered_arguments=(Argument("A", "offered"), Argument("C", "no"), Argument("Y", "no")),
    )
    assert {each.name: each.value for each in select_arguments(_DOCKERFILE, component)} == {
        "A": "offered",
        "C": "new",
        "X": "own",
    }
