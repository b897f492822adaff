# SPDX-License-Identifier: Apache-2.0
"""Targets: which objects they mean."""

from __future__ import annotations

from typing import Any

import pytest

from okd_payload.catalog.kustomize.fields import Target
from okd_payload.catalog.kustomize.resource import Resource
from okd_payload.catalog.kustomize.selectors import InvalidTarget, select
from okd_payload.documents import Document

_VALUE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "labels": {"tier": "front", "size": "5"},
        "annotations": {"example.com/owner": "team"},
    },
}


def _selects(**fields: str) -> bool:
    return select(Resource(Document("a.yaml", _VALUE, {}), _VALUE), Target(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"group": "apps", "version": "v1", "kind": "Deployment", "name": "web"},
        {"kind": "Stateful.*|Deploy.*"},
        {"name": "w.b"},
        {"namespace": "default"},
        {"annotation_selector": "example.com/owner=team"},
    ],
)
def test_fields_that_fit(fields: dict[str, str]) -> None:
    """Fields are expressions for the whole text; without a namespace it is the default one."""
    assert _selects(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "we"},
        {"name": "eb"},
        {"kind": "deployment"},
        {"group": "app"},
        {"version": "v"},
        {"namespace": "other"},
        {"kind": "Deployment", "label_selector": "tier=back"},
        {"annotation_selector": "!example.com/owner"},
    ],
)
def test_fields_that_do_not_fit(fields: dict[str, str]) -> None:
    """A part of a name is not the name, and everything that is given has to fit."""
    assert not _selects(**fields)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tier=front", True),
        ("tier == front", True),
        ("tier!=front", False),
        ("absent!=front", True),
        ("absent=", False),
        ("tier", True),
        ("!tier", False),
        ("!absent", True),
        ("tier in (back, front)", True),
        ("tier in (back)", False),
        ("tier notin (back,middle)", True),
        ("absent notin (back)", True),
        ("tier=front,size=5", True),
        ("tier=front, size!=5", False),
        ("tier in (front),size in (5),!absent", True),
        ("size > 4", True),
        ("size<5", False),
        ("tier>1", False),
        (" tier = front ", True),
    ],
)
def test_label_selectors(selector: str, expected: bool) -> None:  # noqa: FBT001 - a table of answers
    """The grammar of Kubernetes' label selectors, whole."""
    assert _selects(label_selector=selector) is expected


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "("},
        {"label_selector": "tier in"},
        {"label_selector": "tier=front size=5"},
        {"label_selector": "=front"},
        {"label_selector": "tier in front"},
        {"label_selector": "size > four"},
        {"label_selector": "a,,b"},
    ],
)
def test_targets_without_meaning(fields: dict[str, str]) -> None:
    """A broken expression or selector is told, not taken for one that fits nothing."""
    with pytest.raises(InvalidTarget):
        _selects(**fields)
