# SPDX-License-Identifier: Apache-2.0
"""Namespaces, names, labels, annotations, images and replacements, each by itself."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from .conftest import Render

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      serviceAccountName: robot
      containers:
      - {name: a, image: "quay.test:5000/web:1"}
      - {name: b, image: web, envFrom: [{configMapRef: {name: settings}}]}
"""
_SETTINGS = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {v: x-y-z, n: '5'}\n"
)
_ROBOT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n"
_BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: allow}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: ServiceAccount, name: robot}
- {kind: ServiceAccount, name: default}
- {kind: ServiceAccount, name: stranger}
"""


def _rendered(render: Render, kustomization: str, *objects: str) -> dict[str, Any]:
    """The values that come out, by kind."""
    files = {
        "kustomization.yaml": f"resources: [objects.yaml]\n{kustomization}\n",
        "objects.yaml": "---\n".join(objects),
    }
    rendering = render(files)
    assert not rendering.issues
    return {each.identity.kind: each.document.value for each in rendering.objects}


def test_namespace(render: Render) -> None:
    """All but cluster-scoped objects move; a Namespace is renamed; known subjects follow."""
    found = _rendered(
        render,
        "namespace: okd",
        _SETTINGS,
        _ROBOT,
        _BINDING,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: before}\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: view}\n",
        "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfig\n"
        "metadata: {name: of-unknown-scope}\n",
    )
    namespaces = {kind: value["metadata"].get("namespace") for kind, value in found.items()}
    assert namespaces == {
        "Namespace": None,
        "ServiceAccount": "okd",
        "ClusterRole": None,
        "RoleBinding": "okd",
        "ConfigMap": "okd",
        "MachineConfig": "okd",
    }
    assert found["Namespace"]["metadata"]["name"] == "okd"
    assert [each.get("namespace") for each in found["RoleBinding"]["subjects"]] == [
        "okd",
        "okd",
        None,
    ]


def test_names_and_what_refers_to_them(render: Render) -> None:
    """Prefix and suffix are added, references follow, names that mean something stay."""
    found = _rendered(
        render,
        "namePrefix: a-\nnameSuffix: -z",
        _DEPLOYMENT,
        _SETTINGS,
        _ROBOT,
        _BINDING,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: okd}\n",
    )
    names = {kind: value["metadata"]["name"] for kind, value in found.items()}
    assert names == {
        "Namespace": "okd",
        "ServiceAccount": "a-robot-z",
        "RoleBinding": "a-allow-z",
        "ConfigMap": "a-settings-z",
        "Deployment": "a-web-z",
    }
    pod = found["Deployment"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "a-robot-z"
    assert pod["containers"][1]["envFrom"] == [{"configMapRef": {"name": "a-settings-z"}}]
    subjects = [each["name"] for each in found["RoleBinding"]["subjects"]]
    assert subjects == ["a-robot-z", "default", "stranger"]
    assert found["RoleBinding"]["roleRef"]["name"] == "view"


def test_names_that_fit_several_objects(render: Render) -> None:
    """A name that may mean two renamed objects is told, with both, and stays."""
    robots = [_ROBOT.replace("}", f", namespace: {name}}}") for name in ("one", "two")]
    binding = _BINDING.replace("kind: RoleBinding", "kind: ClusterRoleBinding")
    rendering = render(
        {
            "kustomization.yaml": "resources: [objects.yaml]\nnamePrefix: a-\n",
            "objects.yaml": "---\n".join((binding, *robots)),
        }
    )
    (issue,) = rendering.issues
    assert issue.code == "ambiguous-name"
    assert issue.message.endswith(
        "subjects: 'robot' may mean ServiceAccount a-robot in one or ServiceAccount a-robot in two"
    )
    assert rendering.objects[-1].document.value["subjects"][0]["name"] == "robot"


@pytest.mark.parametrize(
    ("options", "in_template", "in_selector"),
    [
        ("", False, False),
        ("includeTemplates: true", True, False),
        ("includeSelectors: true", True, True),
    ],
)
def test_labels(render: Render, options: str, in_template: bool, in_selector: bool) -> None:  # noqa: FBT001 - a table of answers
    """Labels go to the object, and to templates and selectors where that is wanted."""
    entry = f"labels: [{{pairs: {{team: a}}, {options}}}]"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {own: b}}\nspec: {}\n"
    found = _rendered(render, entry, _DEPLOYMENT, service)
    assert found["Service"]["metadata"]["labels"] == {"own": "b", "team": "a"}
    assert ("selector" in found["Service"]["spec"]) is in_selector
    specification = found["Deployment"]["spec"]
    assert ("metadata" in specification["template"]) is in_template
    assert ("selector" in specification) is in_selector


def test_common_labels_and_annotations(render: Render) -> None:
    """Both reach templates; labels reach selectors, made where they are always needed."""
    found = _rendered(
        render,
        "commonLabels: {team: a}\ncommonAnnotations: {note: b}",
        _DEPLOYMENT,
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {}\n",
    )
    specification = found["Deployment"]["spec"]
    assert specification["selector"] == {"matchLabels": {"team": "a"}}
    assert specification["template"]["metadata"] == {
        "labels": {"team": "a"},
        "annotations": {"note": "b"},
    }
    assert "selector" not in found["Job"]["spec"]
    assert found["Job"]["metadata"]["annotations"] == {"note": "b"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("{name: web, newTag: '2'}", ["quay.test:5000/web:1", "web:2"]),
        ("{name: 'quay.test:5000/web', newTag: '2'}", ["quay.test:5000/web:2", "web"]),
        ("{name: 'quay.test:5000/web', newName: x}", ["x:1", "web"]),
        (
            "{name: 'quay.test:5000/web', digest: 'sha256:0'}",
            ["quay.test:5000/web@sha256:0", "web"],
        ),
        (
            "{name: 'quay.test:5000/web', newTag: t, digest: 'sha256:0'}",
            ["quay.test:5000/web:t@sha256:0", "web"],
        ),
        ("{name: '.*web', newName: x}", ["x:1", "x"]),
        ("{name: '*', newName: x}", ["x:1", "x"]),
        ("{name: 'we', newName: x}", ["quay.test:5000/web:1", "web"]),
    ],
)
def test_images(render: Render, change: str, expected: list[str]) -> None:
    """Name, tag and digest change where the whole name fits."""
    found = _rendered(render, f"images: [{change}]", _DEPLOYMENT)
    containers = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert [each["image"] for each in containers] == expected


def test_images_of_other_kinds(render: Render) -> None:
    """Containers are found in objects of any kind, but not in the schemas of definitions."""
    custom = (
        "apiVersion: example.com/v1\nkind: {}\nmetadata: {{name: a}}\nx: {{initContainers: "
        "[{{image: web}}]}}\n"
    )
    kinds = [custom.format(kind) for kind in ("Custom", "CustomResourceDefinition")]
    found = _rendered(render, "images: [{name: web, newTag: '2'}]", *kinds)
    images = {kind: each["x"]["initContainers"][0]["image"] for kind, each in found.items()}
    assert images == {"Custom": "web:2", "CustomResourceDefinition": "web"}


_TARGET = (
    "apiVersion: example.com/v1\nkind: Target\nmetadata: {name: t}\nspec: {v: x-y-z, i: 3, "
    "l: [{name: a, w: 1}, {name: b, w: 2}]}\n"
)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("fieldPath: data.v", "fieldPaths: [spec.v]", {"v": "x-y-z"}),
        ("fieldPath: metadata.name", "fieldPaths: [spec.v]", {"v": "settings"}),
        ("fieldPath: data.n", "fieldPaths: [spec.i]", {"i": 5}),
        (
            "fieldPath: data.v, options: {delimiter: '-', index: 1}",
            "fieldPaths: [spec.v]",
            {"v": "y"},
        ),
        (
            "fieldPath: data.n",
            "fieldPaths: [spec.v], options: {delimiter: '-', index: 1}",
            {"v": "x-5-z"},
        ),
        (
            "fieldPath: data.n",
            "fieldPaths: [spec.v], options: {delimiter: '-', index: -1}",
            {"v": "5-x-y-z"},
        ),
        (
            "fieldPath: data.n",
            "fieldPaths: [spec.v], options: {delimiter: '-', index: 9}",
            {"v": "x-y-z-5"},
        ),
        ("fieldPath: data.n", "fieldPaths: ['spec.l.[name=b].w']", {"l": [1, 5]}),
        ("fieldPath: data.n", "fieldPaths: [spec.l.*.w]", {"l": [5, 5]}),
        ("fieldPath: data.n", "fieldPaths: [spec.l.0.w]", {"l": [5, 2]}),
        (
            "fieldPath: data.n",
            "fieldPaths: ['spec.l.[name=c].w'], options: {create: true}",
            {"l": [1, 2, "5"]},
        ),
        (
            "fieldPath: data.n",
            "fieldPaths: ['spec.n.[a.b/c]'], options: {create: true}",
            {"n": {"a.b/c": "5"}},
        ),
        (
            "fieldPath: data.n",
            "fieldPaths: ['spec.n.a\\.b'], options: {create: true}",
            {"n": {"a.b": "5"}},
        ),
    ],
)
def test_replacements(render: Render, source: str, target: str, expected: dict[str, Any]) -> None:
    """A value is taken from one field and written to others, whole or a part of them."""
    found = _rendered(
        render,
        f"replacements:\n- source: {{kind: ConfigMap, {source}}}\n"
        f"  targets: [{{select: {{kind: Target}}, {target}}}]",
        _SETTINGS,
        _TARGET,
    )
    specification = dict(found["Target"]["spec"])
    specification["l"] = [each["w"] for each in specification["l"]]
    unchanged = {**yaml.safe_load(_TARGET)["spec"], "l": [1, 2]}
    assert specification == {**unchanged, **expected}


def test_replacements_reject(render: Render) -> None:
    """Rejected objects are left alone, and select is a text, not an expression."""
    found = _rendered(
        render,
        "replacements:\n- source: {kind: ConfigMap, fieldPath: data.n}\n  targets:\n"
        "  - {select: {kind: Target}, reject: [{name: t}], fieldPaths: [spec.v]}\n"
        "  - {select: {name: '.*'}, fieldPaths: [spec.v]}",
        _SETTINGS,
        _TARGET,
    )
    assert found["Target"]["spec"]["v"] == "x-y-z"


@pytest.mark.parametrize(
    ("replacement", "reason"),
    [
        (
            "{source: {kind: Absent}, targets: [{select: {kind: Target}}]}",
            "no objects are the source",
        ),
        ("{source: {group: ''}, targets: [{select: {kind: Target}}]}", "2 objects are the source"),
        (
            "{source: {kind: ConfigMap, fieldPath: data.q}, targets: [{select: {kind: Target}}]}",
            "has no data.q",
        ),
        (
            (
                "{source: {kind: ConfigMap}, targets: [{select: {kind: Target}, "
                "fieldPaths: [spec.q]}]}"
            ),
            "there is no q",
        ),
        (
            (
                "{source: {kind: ConfigMap}, targets: [{select: {kind: Target}, "
                "fieldPaths: [spec.l.9]}]}"
            ),
            "has no 9",
        ),
        (
            (
                "{source: {kind: ConfigMap}, targets: [{select: {kind: Target}, "
                "fieldPaths: [spec.i]}]}"
            ),
            "cannot take the place of 3",
        ),
        (
            (
                "{source: {kind: ConfigMap, fieldPath: data}, targets: [{select: {kind: "
                "Target}, fieldPaths: [spec.v]}]}"
            ),
            "a text and a tree",
        ),
        (
            (
                "{source: {kind: ConfigMap, fieldPath: data.v, options: {delimiter: '-', "
                "index: 3}}, targets: [{select: {kind: Target}}]}"
            ),
            "index 3 is outside",
        ),
        (
            "{source: {kind: ConfigMap}, targets: [{fieldPaths: [spec.v]}]}",
            "has to say with select",
        ),
        ("{source: {kind: ConfigMap}}", "at least one target"),
    ],
)
def test_replacements_that_fail(render: Render, replacement: str, reason: str) -> None:
    """What cannot be replaced is told with the line of the replacement; nothing changes."""
    rendering = render(
        {
            "kustomization.yaml": f"resources: [o.yaml]\nreplacements:\n- {replacement}\n",
            "o.yaml": f"{_SETTINGS}---\n{_TARGET}",
        }
    )
    (issue,) = rendering.issues
    assert (issue.code, issue.line) == ("failed-replacement", 3)
    assert reason in issue.message
    assert rendering.objects[1].document.value == yaml.safe_load(_TARGET)


def test_replacements_in_files(render: Render) -> None:
    """A file may have one replacement or a list of them, and its own lines are named."""
    one = (
        "source: {kind: ConfigMap, fieldPath: data.n}\ntargets: [{select: {kind: Target}, "
        "fieldPaths: [spec.v]}]\n"
    )
    rendering = render(
        {
            "kustomization.yaml": "resources: [o.yaml]\n"
            "replacements: [{path: one.yaml}, {path: two.yaml}]\n",
            "o.yaml": f"{_SETTINGS}---\n{_TARGET}",
            "one.yaml": one,
            "two.yaml": "\n- source: {kind: Absent}\n  targets: [{select: {kind: Target}}]\n",
        }
    )
    assert rendering.objects[1].document.value["spec"]["v"] == "5"
    (issue,) = rendering.issues
    assert issue.file.endswith("two.yaml")
    assert issue.line == 2
