# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from okd_payload.release import codes as release_codes
from okd_payload.release import labels
from okd_payload.release.cluster.tree import PayloadFolder, PayloadTree
from okd_payload.release.lint import codes
from okd_payload.release.lint.base import lint_tree, read_tree

_REFERENCES = b"kind: ImageStream\napiVersion: image.openshift.io/v1\nmetadata: {name: 4.20.0}\n"
_RELEASE = PayloadFolder(files={labels.IMAGE_REFERENCES: _REFERENCES})


def _codes(files, release=_RELEASE):
    own = PayloadFolder(files={name: text.encode() for name, text in files.items()})
    tree = PayloadTree(own=own, release=release)
    return [(issue.code, issue.file) for issue in lint_tree(tree, release_image="quay.test/r")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x: {{ .Unknown }}\n", codes.SKIPPED_TEMPLATE),
        ("x: {{ nothing }}\n", codes.SKIPPED_TEMPLATE),
        ("{{ if true }}x: [{{ end }}\n", release_codes.INVALID_MANIFEST),
        ("just text\n", release_codes.INVALID_MANIFEST),
        (2 * "---\nkind: A\nmetadata: {name: x}\n", release_codes.DUPLICATE_OBJECT),
    ],
)
def test_faults(text, code):
    """What is wrong with the operator's own manifests is told of the file in its image."""
    assert _codes({"a.yaml": text}) == [(code.code, "manifests/a.yaml")]


def test_templates_are_filled_in(manifest):
    """What the operator fills in is no fault, and neither is what it does not read."""
    files = {
        "a.yaml": manifest("{{ .ClusterProfile }}", image="{{ .ReleaseImage }}"),
        "b.md": "{{ nothing",
    }
    assert _codes(files) == []


def test_templates_without_a_list_of_images():
    """Without anything to fill in, templates are not judged; the lack is told elsewhere."""
    assert _codes({"a.yaml": "x: [{{ .Images }}"}, PayloadFolder()) == []
    broken = PayloadFolder(files={labels.IMAGE_REFERENCES: b"kind: Pod"})
    assert _codes({"a.yaml": "x: [{{ .Images }}"}, broken) == []


def test_no_tree(tmp_path):
    """A folder with neither part is no unpacked payload; with one, the other is missing."""
    assert read_tree(tmp_path) is None
    (tmp_path / labels.FOLDER).mkdir()
    (issue,) = lint_tree(read_tree(tmp_path), release_image="quay.test/r")
    assert (issue.code, issue.file) == (release_codes.MISSING_FILE.code, "manifests")


def test_links(tmp_path, manifest):
    """Links are followed; those into nothing or to a folder are told."""
    release, own = tmp_path / labels.FOLDER, tmp_path / "manifests"
    for folder in (release, own, own / "folder.yaml"):
        folder.mkdir()
    (release / labels.IMAGE_REFERENCES).write_bytes(_REFERENCES)
    (own / "a.yaml").write_text(manifest("a"))
    (own / "b.yaml").symlink_to("a.yaml")
    (own / "c.yaml").symlink_to("nowhere")
    (release / "d.yaml").symlink_to(own)
    (release / "e.txt").symlink_to("nowhere")
    tree = read_tree(tmp_path)
    assert tree.own.files["b.yaml"] == manifest("a").encode()
    assert tree.own.folders == {"folder.yaml"}
    issues = lint_tree(tree, release_image="quay.test/r")
    assert [(issue.code, issue.file) for issue in issues] == [
        (release_codes.INVALID_MANIFEST.code, "manifests/c.yaml"),
        (release_codes.INVALID_MANIFEST.code, "d.yaml"),
    ]
