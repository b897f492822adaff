# SPDX-License-Identifier: Apache-2.0
"""Equality with kubectl: on every real overlay, and on overlays that nobody wrote."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from okd_payload.catalog.kustomize import render_kustomization
from okd_payload.issues import Severity

from .conftest import KubectlKustomize

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_REFUSED_ON_PURPOSE = {"unsupported-kustomization"}


def test_real_overlays(shared_data: Path, kubectl_kustomize: KubectlKustomize) -> None:
    """Every real kustomization renders as kubectl renders it, or both say that it is broken."""
    compared = 0
    for pipeline in ("okd-payload-pipeline", "okd-coreos-pipeline", "okd-operator-pipeline"):
        for file in sorted((shared_data / pipeline).rglob("kustomization.yaml")):
            rendering = render_kustomization(file.parent)
            errors = {each.code for each in rendering.issues if each.severity is Severity.ERROR}
            if errors & _REFUSED_ON_PURPOSE:
                continue
            wanted = kubectl_kustomize(file.parent)
            assert (wanted is None) is bool(errors), file
            if wanted is not None:
                compared += 1
                assert [each.document.value for each in rendering.objects] == wanted, file
    assert compared > 30


_NAMES = st.sampled_from(["alpha", "beta", "gamma"])
_WORDS = st.sampled_from(["one", "two", "three"])
_TEXTS = st.dictionaries(_WORDS, _WORDS, max_size=2)
_KINDS = st.sampled_from(
    [
        ("v1", "ConfigMap"),
        ("v1", "Namespace"),
        ("v1", "ServiceAccount"),
        ("build.openshift.io/v1", "BuildConfig"),
        ("apps/v1", "Deployment"),
        ("batch/v1", "CronJob"),
        ("example.com/v1", "Deployment"),
    ]
)
_IMAGES = st.sampled_from(["nginx", "nginx:1", "quay.test:5000/nginx:2", "r.test/a@sha256:12"])
_CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": _NAMES},
        optional={
            "image": _IMAGES,
            "args": st.lists(_WORDS, max_size=2),
            "env": st.lists(
                st.fixed_dictionaries({"name": _NAMES, "value": _WORDS}),
                unique_by=lambda each: each["name"],
                max_size=3,
            ),
        },
    ),
    unique_by=lambda each: each["name"],
    max_size=3,
)


@st.composite
def _specifications(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    pod = {"containers": draw(_CONTAINERS)}
    template = {"spec": pod, "metadata": {"labels": draw(_TEXTS)}}
    specification: dict[str, Any] = {
        "list": draw(st.lists(_WORDS, max_size=3)),
        "map": draw(_TEXTS),
    }
    if kind == "CronJob":
        specification["jobTemplate"] = {"spec": {"template": template}}
    else:
        specification["template"] = template
    return specification


@st.composite
def _objects(draw: st.DrawFn) -> dict[str, Any]:
    api_version, kind = draw(_KINDS)
    metadata: dict[str, Any] = {"name": draw(_NAMES), "labels": draw(_TEXTS)}
    if draw(st.booleans()):
        metadata["annotations"] = draw(_TEXTS)
    if draw(st.integers(0, 3)) == 0:
        metadata["namespace"] = draw(_WORDS)
    value = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    return value | {"spec": draw(_specifications(kind))}


_SELECTORS = st.sampled_from(
    [
        "one=two",
        "one!=two",
        "one",
        "!one",
        "one in (one,two)",
        "two notin (one)",
        "one,two==one",
        "",
    ]
)
_TARGETS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["BuildConfig", "ConfigMap", "Deployment", "C.*"]),
        "name": st.sampled_from(["alpha", "alpha|beta", ".*a", "lph"]),
        "group": st.sampled_from(["apps", "build.openshift.io"]),
        "namespace": st.sampled_from(["default", "one", "two|three"]),
        "labelSelector": _SELECTORS,
        "annotationSelector": _SELECTORS,
    },
)
_OPERATIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "replace"]),
            "path": st.sampled_from(["/spec/new", "/spec/map/one", "/spec/list", "/spec/map"]),
            "value": st.one_of(_WORDS, st.lists(_WORDS, max_size=2), _TEXTS),
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("add"),
            "path": st.sampled_from(["/spec/list/-", "/spec/list/0", "/spec/list/1"]),
            "value": _WORDS,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("remove"),
            "path": st.sampled_from(["/spec/list/0", "/spec/map/one", "/metadata/labels"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("move"),
            "from": st.sampled_from(["/spec/list", "/spec/map/one"]),
            "path": st.sampled_from(["/spec/other", "/spec/map/two"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("copy"),
            "from": st.just("/metadata/name"),
            "path": st.sampled_from(["/spec/other", "/spec/map/two", "/spec/list/-"]),
        }
    ),
)
_MERGED = st.fixed_dictionaries(
    {},
    optional={
        "list": st.one_of(st.none(), st.lists(_WORDS, max_size=2)),
        "map": st.one_of(
            st.none(),
            st.dictionaries(_WORDS, st.one_of(st.none(), _WORDS), max_size=2),
            st.just({"$patch": "delete"}),
            st.just({"$patch": "replace", "three": "new"}),
        ),
        "template": st.fixed_dictionaries(
            {},
            optional={
                "spec": st.fixed_dictionaries({"containers": _CONTAINERS}),
                "metadata": st.fixed_dictionaries({"labels": _TEXTS}),
            },
        ),
        "fresh": st.just({"one": None, "two": {"three": "four"}}),
    },
)


@st.composite
def _patches(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        patch: Any = draw(st.lists(_OPERATIONS, min_size=1, max_size=2))
        return {"patch": json.dumps(patch), "target": draw(_TARGETS)}
    api_version, kind = draw(_KINDS)
    merged: dict[str, Any] = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": draw(_NAMES)},
        "spec": draw(_MERGED),
    }
    target = {"target": draw(_TARGETS)} if draw(st.integers(0, 2)) else {}
    return {"patch": json.dumps(merged), **target}


def _changes(labels: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """What a kustomization does; no two sets of labels have one of the same name."""
    return st.fixed_dictionaries(
        {},
        optional={
            "namespace": _WORDS,
            "namePrefix": st.just("pre-"),
            "nameSuffix": st.just("-post"),
            "labels": st.lists(
                st.fixed_dictionaries(
                    {
                        "pairs": st.dictionaries(
                            st.sampled_from(labels), _WORDS, min_size=1, max_size=1
                        )
                    },
                    optional={"includeSelectors": st.booleans(), "includeTemplates": st.booleans()},
                ),
                unique_by=lambda each: next(iter(each["pairs"])),
                max_size=2,
            ),
            "commonAnnotations": _TEXTS,
            "images": st.lists(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(["nginx", "quay.test:5000/nginx", "r.test/a"])},
                    optional={
                        "newName": st.just("new.test/image"),
                        "newTag": st.just("9"),
                        "digest": st.just("sha256:99"),
                    },
                ),
                max_size=2,
            ),
            "patches": st.lists(_patches(), max_size=3),
        },
    )


def _write(folder: Path, kustomization: dict[str, Any], objects: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    (folder / "objects.yaml").write_text("\n---\n".join(json.dumps(each) for each in objects))
    text = json.dumps({"resources": ["objects.yaml"], **kustomization})
    (folder / "kustomization.yaml").write_text(text)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # shrinking would run kubectl for minutes
    derandomize=True,
)
@given(
    base=st.lists(
        _objects(),
        min_size=1,
        max_size=4,
        unique_by=lambda each: (each["kind"], each["metadata"]["name"]),
    ),
    inner=_changes(("one", "inner")),
    outer=_changes(("two", "outer")),
)
def test_generated_overlays(
    kubectl_kustomize: KubectlKustomize,
    base: list[dict[str, Any]],
    inner: dict[str, Any],
    outer: dict[str, Any],
) -> None:
    """A base and an overlay of it give what kubectl gives, or fail where it fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "base", inner, base)
        _write(folder / "overlay", {**outer, "resources": ["../base"]}, [])
        rendering = render_kustomization(folder / "overlay")
        wanted = kubectl_kustomize(folder / "overlay")
    errors = [each for each in rendering.issues if each.severity is Severity.ERROR]
    if wanted is None:
        assert errors
        return
    assume(not any("is there with other keys" in each.message for each in errors))
    assert not errors
    assert [each.document.value for each in rendering.objects] == wanted
