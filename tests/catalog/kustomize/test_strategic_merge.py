# SPDX-License-Identifier: Apache-2.0
"""Strategic-merge patches: what is merged, what is replaced, and what is lost by it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from okd_payload.catalog.kustomize.merge_keys import merge_keys
from okd_payload.catalog.kustomize.strategic_merge import Merged, MergeFailed, merge


def _merge(value: str, patch: str, kind: str = "Deployment") -> Merged:
    keys = merge_keys("apps/v1" if kind == "Deployment" else "v1", kind)
    return merge(yaml.safe_load(value), yaml.safe_load(patch), keys)


def _pod(value: str, patch: str) -> Any:
    return _merge(f"spec: {value}", f"spec: {patch}", "Pod").value["spec"]


@pytest.mark.parametrize(
    ("value", "patch", "expected"),
    [
        ("{a: 1, b: 2}", "{b: 3, c: 4}", {"a": 1, "b": 3, "c": 4}),
        ("{a: 1, b: 2}", "{b: null, absent: null}", {"a": 1}),
        ("{a: {b: 1}}", "{a: {$patch: delete}}", {}),
        ("{a: {b: 1}}", "{a: {$patch: replace, c: 2, d: null}}", {"a": {"c": 2}}),
        ("{a: {b: 1}}", "{a: {$patch: merge, c: 2}}", {"a": {"b": 1, "c": 2}}),
        ("{a: 1}", "{n: {x: null, y: {z: null}}}", {"a": 1, "n": {"y": {}}}),
        ("{a: null, b: {c: null}}", "{d: 1}", {"b": {"c": None}, "d": 1}),
        ("{a: [1, 2]}", "{a: [3]}", {"a": [3]}),
        ("{a: [1, 2]}", "{a: null}", {}),
    ],
)
def test_mappings_and_plain_lists(value: str, patch: str, expected: Any) -> None:
    """Mappings are merged, null and directives do as they say, lists without key are replaced."""
    assert _merge(value, patch).value == expected


@pytest.mark.parametrize(
    ("value", "patch", "expected"),
    [
        (
            "{containers: [{name: a, image: x}, {name: b}]}",
            "{containers: [{name: b, image: y}, {name: c}]}",
            [{"name": "b", "image": "y"}, {"name": "c"}, {"name": "a", "image": "x"}],
        ),
        (
            "{containers: [{name: a}, {name: b}]}",
            "{containers: [{name: a, $patch: delete}]}",
            [{"name": "b"}],
        ),
        (
            "{containers: [{name: a}]}",
            "{containers: [{name: n}, {$patch: replace}]}",
            [{"name": "n"}],
        ),
        (
            "{containers: [{name: a, env: [{name: A}]}]}",
            "{containers: [{name: a, env: [{name: B}], args: [x]}]}",
            [{"name": "a", "env": [{"name": "B"}, {"name": "A"}], "args": ["x"]}],
        ),
    ],
)
def test_lists_with_a_key(value: str, patch: str, expected: Any) -> None:
    """Items are found by their key and merged; those of the patch come first."""
    assert _pod(value, patch)["containers"] == expected


def test_several_keys() -> None:
    """Ports are told apart by port and protocol, and those that are merged stay in place."""
    ports = "ports: [{port: 53, protocol: TCP}, {port: 53, protocol: UDP}]"
    patch = "ports: [{port: 53, protocol: UDP, name: dns}, {port: 80, protocol: TCP}]"
    merged = _merge(f"spec: {{{ports}}}", f"spec: {{{patch}}}", "Service").value
    assert [(each["port"], each["protocol"]) for each in merged["spec"]["ports"]] == [
        (80, "TCP"),
        (53, "TCP"),
        (53, "UDP"),
    ]
    assert merged["spec"]["ports"][2]["name"] == "dns"


def test_sets_of_texts() -> None:
    """Finalizers are a set, the new ones first."""
    merged = _merge("metadata: {finalizers: [a, b]}", "metadata: {finalizers: [c, a]}", "Pod")
    assert merged.value["metadata"]["finalizers"] == ["c", "a", "b"]


def test_other_kinds_lose_items_and_it_is_told() -> None:
    """Without a schema a list is replaced; what it had and has no longer is reported."""
    value = "spec: {args: [{name: A, value: 1}, {name: B, value: 2}], same: [x], short: [y]}"
    patch = "spec: {args: [{name: B, value: 2}, {name: C}], same: [x, z]}"
    (lost,) = _merge(value, patch, "BuildConfig").replaced
    assert lost.field == ("spec", "args")
    assert lost.lost == ({"name": "A", "value": 1},)
    assert lost.replacement == ({"name": "B", "value": 2}, {"name": "C"})
    assert not _merge("spec: {finalizers: [a]}", "spec: {finalizers: [b]}", "Pod").replaced


def test_whole_objects_can_be_deleted() -> None:
    """The directive at the top takes the object away."""
    assert _merge("{a: 1}", "{$patch: delete}").value is None


@pytest.mark.parametrize(
    ("value", "patch", "reason"),
    [
        ("{a: [1]}", "{a: {b: 1}}", "a: a mapping cannot replace a list"),
        ("{a: {b: 1}}", "{a: [1]}", "a: a list cannot replace a mapping"),
        ("{a: {b: 1}}", "{a: 1}", "a: a scalar cannot replace a mapping"),
        ("{a: 1}", "{$patch: replace, b: 1}", "for a whole object"),
        ("{a: {}}", "{a: {$patch: frob}}", "is delete, replace or merge"),
        ("{a: 1}", "{$setElementOrder/x: []}", "directive is not supported"),
        ("{a: 1}", "{a: 2, $retainKeys: [a]}", "directive is not supported"),
        ("{spec: {containers: [{name: a}]}}", "{spec: {containers: [{image: x}]}}", "has no name"),
        (
            "{spec: {containers: [{name: a}]}}",
            "{spec: {containers: [{name: a, $patch: replace}]}}",
            "stands alone",
        ),
        (
            "{spec: {containers: [{name: a, ports: [{containerPort: 1}]}]}}",
            "{spec: {containers: [{name: a, ports: [{containerPort: 1, protocol: UDP}]}]}}",
            "give containerPort and protocol in both",
        ),
    ],
)
def test_patches_that_do_not_fit(value: str, patch: str, reason: str) -> None:
    """What would silently do something else is refused, with the field."""
    with pytest.raises(MergeFailed, match=reason):
        _merge(value, patch, "Pod")


def test_kinds_are_known_by_their_version() -> None:
    """A kind of the same name in another group has no schema."""
    assert merge_keys("example.com/v1", "Deployment") is None
    job = merge_keys("batch/v1", "CronJob")
    assert job is not None
    path = ("spec", "jobTemplate", "spec", "template", "spec", "containers", "env")
    assert job[path] == ("name",)
