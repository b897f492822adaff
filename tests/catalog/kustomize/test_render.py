# SPDX-License-Identifier: Apache-2.0
"""Folders, components and patches together, and everything that can be wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from okd_payload.catalog.kustomize import PatchKind, Rendering

from .conftest import Render

_OBJECT = "apiVersion: example.com/v1\nkind: {}\nmetadata: {{name: {}}}\nspec: {{l: [1, 2]}}\n"
_A = _OBJECT.format("Kind", "a")
_COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def _names(rendering: Rendering) -> list[str]:
    return [each.identity.name for each in rendering.objects]


def _issues(rendering: Rendering) -> list[tuple[str, str, int]]:
    return [(each.code, Path(each.file).name, each.line) for each in rendering.issues]


def test_several_documents_and_lists(render: Render) -> None:
    """Documents of a file and items of lists are objects with lines of their own."""
    text = (
        f"{_A}---\n# nothing\n---\nkind: KindList\nitems:\n- kind: Kind\n  metadata: {{name: b}}\n"
    )
    rendering = render({"kustomization.yml": "resources: [a.yaml]\n", "a.yaml": text})
    assert not rendering.issues
    found = [(each.identity.name, each.document.line_of(())) for each in rendering.objects]
    assert found == [("a", 1), ("b", 10)]


def test_order(render: Render) -> None:
    """Objects come by kind and name, or as listed when the outermost kustomization says so."""
    texts = [_OBJECT.format(*each) for each in (("Z", "a"), ("Service", "b"), ("Namespace", "c"))]
    files = {"Kustomization": "resources: [a.yaml]\n", "a.yaml": "---\n".join(texts)}
    assert _names(render(files)) == ["c", "b", "a"]
    files["Kustomization"] = "resources: [a.yaml]\nsortOptions: {order: fifo}\n"
    assert _names(render(files)) == ["a", "b", "c"]
    files["Kustomization"] = (
        "resources: [a.yaml]\n"
        "sortOptions: {order: legacy, legacySortOptions: {orderLast: [Namespace]}}\n"
    )
    assert _names(render(files)) == ["b", "a", "c"]


def test_components_change_what_was_before_them(render: Render) -> None:
    """A component adds to the objects and changes all of them, before the kustomization does."""
    rendering = render(
        {
            "kustomization.yaml": "resources: [a.yaml]\ncomponents: [c]\nnamePrefix: x-\n",
            "a.yaml": _A,
            "c/kustomization.yaml": f"{_COMPONENT}resources: [b.yaml]\nnamePrefix: c-\n",
            "c/b.yaml": _OBJECT.format("Kind", "b"),
        }
    )
    assert not rendering.issues
    assert _names(rendering) == ["x-c-a", "x-c-b"]


def test_origin_and_patches_are_told(render: Render, tmp_path: Path) -> None:
    """Each object says where it comes from, which patches touched it, and what they threw away."""
    rendering = render(
        {
            "overlay/kustomization.yaml": "resources: [../base]\npatches:\n"
            "- path: p.yaml\n  target: {kind: Kind}\n"
            "- target: {kind: Kind}\n  patch: |-\n    - {op: add, path: /spec/l/0, value: 9}\n",
            "overlay/p.yaml": "\nkind: Kind\nmetadata: {name: any}\nspec: {l: [2, 3]}\n",
            "base/kustomization.yaml": "resources: [a.yaml]\n",
            "base/a.yaml": "# first\n" + _A,
        },
        at="overlay",
    )
    (found,) = rendering.objects
    assert found.document.path == str(tmp_path / "base" / "a.yaml")
    assert found.document.value["spec"]["l"] == [9, 2, 3]
    assert found.document.line_of(("metadata", "name")) == 4
    overlay = tmp_path / "overlay"
    assert [(each.file, each.line, each.kind) for each in found.patches] == [
        (str(overlay / "p.yaml"), 2, PatchKind.STRATEGIC_MERGE),
        (str(overlay / "kustomization.yaml"), 5, PatchKind.JSON),
    ]
    (lost,) = found.replaced_lists
    assert (lost.field, lost.lost, lost.patch) == (("spec", "l"), (1,), found.patches[0])


def test_lines_follow_items_that_move(patched: Callable[..., Any], render: Render) -> None:
    """Items of lists keep their lines when a patch puts another before them."""
    rendering = render(
        {
            "kustomization.yaml": "resources: [a.yaml]\npatches:\n- target: {name: a}\n"
            "  patch: |-\n"
            "    - {op: add, path: /spec/0, value: {new: 1}}\n",
            "a.yaml": "kind: K\nmetadata: {name: a}\nspec:\n- x: 1\n- y: 2\n",
        }
    )
    document = rendering.objects[0].document
    lines = [document.line_of(("spec", number)) for number in range(3)]
    assert lines == [3, 4, 5]
    assert patched(_A, "- {op: remove, path: /spec}\n").keys() == {"apiVersion", "kind", "metadata"}


@pytest.mark.parametrize(
    ("options", "kind", "name"),
    [
        ("", "Kind", "a"),
        ("\n  options: {allowNameChange: true, allowKindChange: true}", "Other", "b"),
    ],
)
def test_patches_do_not_rename(
    patched: Callable[..., Any], options: str, kind: str, name: str
) -> None:
    """What a merged patch calls itself counts only when that is allowed."""
    patch = "apiVersion: v2\nkind: Other\nmetadata: {name: b, namespace: n}\n"
    found = patched(_A, patch, f"target: {{name: a}}{options}")
    assert (found["apiVersion"], found["kind"]) == ("example.com/v1", kind)
    assert found["metadata"] == {"name": name}


def test_patches_find_objects_by_every_name_they_had(render: Render) -> None:
    """An overlay may use the name of the base, or the one that the base made of it."""
    patch = (
        "- patch: |-\n    apiVersion: example.com/v1\n    kind: Kind\n    metadata: {name: "
        "%s}\n    %s: 1\n"
    )
    rendering = render(
        {
            "o/kustomization.yaml": "resources: [../b]\npatches:\n"
            + patch % ("a", "x")
            + patch % ("p-a", "y"),
            "b/kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]\n",
            "b/a.yaml": _A,
        },
        at="o",
    )
    assert not rendering.issues
    assert {"x", "y"} <= rendering.objects[0].document.value.keys()


def test_old_forms(render: Render) -> None:
    """bases, imageTags, patchesStrategicMerge and patchesJson6902 still mean what they meant."""
    rendering = render(
        {
            "kustomization.yaml": "bases: [b]\npatchesStrategicMerge:\n- p.yaml\n- |-\n"
            "  apiVersion: example.com/v1\n  kind: Kind\n  metadata: {name: a}\n  y: 1\n"
            "patchesJson6902:\n- target: {version: v1, kind: Kind, name: a}\n  path: j.yaml\n",
            "p.yaml": "apiVersion: example.com/v1\nkind: Kind\nmetadata: {name: a}\nx: 1\n",
            "j.yaml": "- {op: add, path: /z, value: 1}\n",
            "b/kustomization.yaml": "resources: [a.yaml]\n",
            "b/a.yaml": _A,
        }
    )
    assert not rendering.issues
    assert {"x", "y", "z"} <= rendering.objects[0].document.value.keys()


def test_local_configuration_is_left_out(render: Render) -> None:
    """Objects for tools are no part of the result, and empty annotations say nothing."""
    local = (
        'kind: K\nmetadata: {name: b, annotations: {config.kubernetes.io/local-config: "true"}}\n'
    )
    empty = "kind: K\nmetadata: {name: c, annotations: {}}\n"
    rendering = render(
        {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": f"{local}---\n{empty}"}
    )
    assert [each.document.value["metadata"] for each in rendering.objects] == [{"name": "c"}]


def test_one_broken_part_hides_no_other(render: Render) -> None:
    """Every broken part is told with file and line, and all the rest is rendered."""
    rendering = render(
        {
            "kustomization.yaml": "resources:\n- a.yaml\n- absent\n- broken.yaml\n"
            "- empty\n- twice.yaml\n"
            "- https://example.com/x.yaml\n- ../outside.yaml\n- circle\n- nameless.yaml\n"
            "configMapGenerator: [{name: x}]\nresorces: []\nlabels: [{pairs: 3}]\n"
            "patches:\n- target: {kind: Absent}\n  patch: '[{op: remove, path: /spec}]'\n"
            "- patch: '{kind: Kind, metadata: {name: absent}}'\n"
            "- target: {kind: Kind}\n  patch: '[{op: remove, path: /absent}]'\n"
            "- target: {name: '('}\n  patch: '[{op: remove, path: /spec}]'\n"
            "- patch: '[{op: remove, path: /spec}]'\n"
            "- {}\n",
            "a.yaml": _A,
            "broken.yaml": "kind: [\n",
            "empty/README": "",
            "twice.yaml": _A,
            "circle/kustomization.yaml": "resources: [../circle, b.yaml]\n",
            "circle/b.yaml": _OBJECT.format("Kind", "b"),
            "nameless.yaml": "kind: K\nmetadata: {}\n---\n"
            f"{_OBJECT.format('Kind', 'c')}---\n- 3\n",
            "../outside.yaml": _A,
        }
    )
    assert _names(rendering) == ["a", "b", "c"]
    assert rendering.objects[0].document.value["spec"] == {"l": [1, 2]}
    assert sorted(_issues(rendering)) == sorted(
        [
            ("missing-resource", "kustomization.yaml", 3),
            ("invalid-object", "broken.yaml", 2),
            ("missing-resource", "kustomization.yaml", 5),
            ("object-rendered-twice", "twice.yaml", 1),
            ("unsupported-kustomization", "kustomization.yaml", 7),
            ("unsupported-kustomization", "kustomization.yaml", 8),
            ("kustomization-cycle", "kustomization.yaml", 1),
            ("invalid-object", "nameless.yaml", 2),
            ("invalid-object", "nameless.yaml", 9),
            ("unsupported-kustomization", "kustomization.yaml", 11),
            ("invalid-kustomization", "kustomization.yaml", 12),
            ("invalid-kustomization", "kustomization.yaml", 13),
            ("unmatched-patch", "kustomization.yaml", 15),
            ("patch-without-target", "kustomization.yaml", 17),
            ("failed-patch", "kustomization.yaml", 18),
            ("failed-patch", "kustomization.yaml", 18),
            ("failed-patch", "kustomization.yaml", 18),
            ("invalid-kustomization", "kustomization.yaml", 20),
            ("invalid-kustomization", "kustomization.yaml", 22),
            ("invalid-kustomization", "kustomization.yaml", 23),
        ]
    )


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("", "invalid-kustomization", "0 YAML documents"),
        ("[]", "invalid-kustomization", "a kustomization is a mapping"),
        ("kind: Foo", "invalid-kustomization", "Foo is not Kustomization or Component"),
        ("apiVersion: v1", "invalid-kustomization", "kustomize.config.k8s.io/v1beta1"),
        ("a: [", "invalid-kustomization", "not valid YAML"),
        ("sortOptions: {order: up}", "invalid-kustomization", "sortOptions.order"),
        ("components: [k]", "invalid-kustomization", "is a Kustomization"),
        ("resources: [c]", "invalid-kustomization", "is a Component"),
        ("labels: [{pairs: {a: b}, fields: []}]", "unsupported-kustomization", "labels[0].fields"),
        ("images: [{name: a, tagSuffix: b}]", "unsupported-kustomization", "images[0].tagSuffix"),
        ("resources: ['git@example.com:a/b']", "unsupported-kustomization", "remote resource"),
        ("resources: ['github.com/a/b?ref=c']", "unsupported-kustomization", "remote resource"),
        ("patches: [{path: absent.yaml}]", "invalid-kustomization", "absent.yaml is not there"),
        ("patches: [{path: ../x.yaml}]", "invalid-kustomization", "outside the folder"),
        ("replacements: [{path: no.yaml}]", "invalid-kustomization", "no.yaml is not there"),
        ("patches: [{patch: 'a: ['}]", "invalid-kustomization", "the patch is wrong in itself"),
        (
            "patches: [{patch: '- {op: x, path: /a}', target: {kind: A}}]",
            "invalid-kustomization",
            "no JSON patch",
        ),
        ("patches: [{patch: '[]', target: {kind: A}}]", "invalid-kustomization", "an empty patch"),
        ("patches: [{patch: '{a: 1}'}]", "invalid-kustomization", "neither a JSON patch nor"),
        (
            "patchesJson6902: [{patch: '[]', target: {kind: A}}]",
            "invalid-kustomization",
            "a target with kind and name",
        ),
    ],
)
def test_kustomizations_that_are_wrong(render: Render, text: str, code: str, reason: str) -> None:
    """One fault is one issue, which says the file and what is wrong."""
    rendering = render(
        {
            "kustomization.yaml": text,
            "../x.yaml": _A,
            "k/kustomization.yaml": "namePrefix: a-\n",
            "c/kustomization.yaml": f"{_COMPONENT}namePrefix: a-\n",
        }
    )
    (issue,) = rendering.issues
    assert issue.code == code
    assert reason in issue.message
    assert issue.file.endswith("kustomization.yaml")


def test_two_kustomizations_in_a_folder(render: Render) -> None:
    """Which of two files counts is not guessed."""
    (issue,) = render({"kustomization.yaml": "{}", "kustomization.yml": "{}"}).issues
    assert issue.message == "there is kustomization.yaml and kustomization.yml"
    assert issue.hint == "keep one of them"


def test_circles_through_other_folders(render: Render) -> None:
    """A circle is told with all its folders, and what is outside of it is rendered."""
    rendering = render(
        {
            "kustomization.yaml": "resources: [x, a.yaml]\n",
            "a.yaml": _A,
            "x/kustomization.yaml": "resources: [../y]\n",
            "y/kustomization.yaml": "resources:\n- ../x\n",
        }
    )
    (issue,) = rendering.issues
    assert (issue.code, issue.line) == ("kustomization-cycle", 2)
    assert issue.message.count(" -> ") == 3
    assert _names(rendering) == ["a"]
