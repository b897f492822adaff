# SPDX-License-Identifier: Apache-2.0
"""Folders of definitions: what is read, in which order, and what happens to bad files."""

from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.catalog.component import Layering
from okd_payload.catalog.definition import OtherTag, PulledImage
from okd_payload.catalog.sources import (
    read_component_files,
    read_kustomization_objects,
    read_openshift_files,
)

_IMAGE_STREAM = """\
kind: ImageStream
metadata: {name: release, namespace: okd}
spec:
  tags:
  - name: stub
    from: {kind: DockerImage, name: "ubi9-minimal:9.0"}
  - name: same
    from: {kind: ImageStreamTag, name: stub}
  - name: also
    from: {kind: ImageStreamTag, name: "release:stub", namespace: okd}
  - name: other
    from: {kind: ImageStreamTag, name: "tools:centos9"}
  - name: far
    from: {kind: ImageStreamTag, name: "4.15:cli", namespace: ocp}
  - name: pushed
  - name: inside
    from: {kind: ImageStreamImage, name: "release@sha256:0"}
---
kind: ImageStream
metadata: {name: tools}
spec: {tags: [{name: centos9, from: {kind: DockerImage, name: "quay.io/centos/centos:stream9"}}]}
"""


def test_image_streams_are_imports(tmp_path: Path) -> None:
    """Tags from elsewhere become imports under the names that definitions use."""
    (tmp_path / "is.yaml").write_text(_IMAGE_STREAM)
    found = read_openshift_files(tmp_path, image_stream="release")
    assert {entry.name: entry.content for entry in found.imports} == {
        "stub": PulledImage("docker.io/library/ubi9-minimal:9.0"),
        "same": OtherTag("stub"),
        "also": OtherTag("stub"),
        "other": OtherTag("tools:centos9"),
        "far": OtherTag("ocp/4.15:cli"),
        "tools:centos9": PulledImage("quay.io/centos/centos:stream9"),
    }
    assert [entry.name for entry in found.imports if entry.is_foreign] == ["tools:centos9"]
    assert [(issue.code, issue.line) for issue in found.issues] == [("unsupported-field", 16)]
    assert found.imports[0].origin.line == 5


def test_bad_reference_of_a_tag_is_an_issue(tmp_path: Path) -> None:
    """A tag from something that is no reference is reported with its line."""
    path = tmp_path / "is.yaml"
    path.write_text(
        "kind: ImageStream\nmetadata: {name: release}\nspec:\n  tags:\n"
        "  - name: a\n    from:\n      kind: DockerImage\n      name: 'a b'\n"
    )
    (issue,) = read_openshift_files(path, image_stream="release").issues
    assert (issue.code, issue.line) == ("invalid-definition", 8)
    assert issue.message.startswith("spec.tags[0].from.name: 'a b'")


def test_lists_are_unfolded(tmp_path: Path) -> None:
    """The items of a List are read as documents of their own, with their lines."""
    (tmp_path / "list.yaml").write_text(
        "kind: List\nitems:\n- kind: BuildConfig\n  metadata: {name: a}\n  spec:\n"
        "    triggers: [x]\n    output: {to: {name: 'release:a'}}\n- kind: Secret\n- 3\n"
    )
    found = read_openshift_files(tmp_path, image_stream="release")
    assert [each.component.origin.line for each in found.definitions] == [3]
    assert [(issue.code, issue.line, issue.message.split()[0]) for issue in found.issues] == [
        ("ignored-field", 6, "spec.triggers"),
        ("ignored-document", 8, "Secret"),
        ("ignored-document", 9, "a"),
    ]


def test_bad_files_are_issues_and_hide_no_others(tmp_path: Path) -> None:
    """Every unreadable file is named with line and hint, and all good ones are read."""
    (tmp_path / "a.yaml").write_text("base: [\n")
    (tmp_path / "b.yml").write_text("bass: x\n")
    (tmp_path / "c.yaml").write_text("base: x\n")
    (tmp_path / "README.md").write_text("not read")
    found = read_component_files(tmp_path, layering=Layering.ONE)
    assert [each.component.name for each in found.definitions] == ["c"]
    assert [(issue.code, Path(issue.file).name) for issue in found.issues] == [
        ("invalid-definition", "a.yaml"),
        ("invalid-definition", "b.yml"),
    ]
    assert found.issues[1].line == 1
    assert found.issues[1].message == "bass: no such field"
    assert found.issues[1].hint == "did you mean base?"


def test_bad_buildconfig_files_are_issues(tmp_path: Path) -> None:
    """A file that is no YAML, and a BuildConfig with wrong types, are issues too."""
    (tmp_path / "a.yaml").write_text("kind: [\n")
    (tmp_path / "b.yaml").write_text("kind: BuildConfig\nmetadata: {name: 3}\n")
    found = read_openshift_files(tmp_path, image_stream="release")
    assert [(issue.code, issue.line) for issue in found.issues] == [
        ("invalid-definition", 2),
        ("invalid-definition", 2),
    ]


def test_one_file_is_a_source_too(tmp_path: Path) -> None:
    """A catalog source may be a single file."""
    path = tmp_path / "etcd.yaml"
    path.write_text("base: base\n")
    found = read_component_files(path, layering=Layering.ONE)
    assert [each.component.name for each in found.definitions] == ["etcd"]


def test_absent_folder(tmp_path: Path) -> None:
    """A folder that is not there is the caller's error to report."""
    with pytest.raises(FileNotFoundError):
        read_component_files(tmp_path / "absent", layering=Layering.ONE)


def test_kustomizations_are_rendered(tmp_path: Path) -> None:
    """Patched BuildConfigs and ImageStreams are read, the rest of an overlay is for clusters."""
    (tmp_path / "kustomization.yaml").write_text(
        "namespace: okd\nresources: [all.yaml, absent]\npatches:\n- target: {kind: BuildConfig}\n"
        "  patch: |-\n    - {op: add, path: /spec/source, value: {dockerfile: FROM scratch}}\n"
    )
    (tmp_path / "all.yaml").write_text(
        "kind: BuildConfig\nmetadata: {name: a}\n"
        "spec: {output: {to: {kind: ImageStreamTag, name: 'release:a'}}}\n"
        f"---\n{_IMAGE_STREAM}---\nkind: Secret\nmetadata: {{name: s}}\n"
    )
    found = read_kustomization_objects(tmp_path, image_stream="release")
    (definition,) = found.definitions
    assert definition.component.dockerfile == "FROM scratch"
    assert definition.component.origin.line == 1
    assert "stub" in {each.name for each in found.imports}
    assert [each.code for each in found.issues] == ["missing-resource", "unsupported-field"]


def test_absent_kustomization_is_an_error(tmp_path: Path) -> None:
    """A stream file that names no folder is wrong in itself."""
    with pytest.raises(OSError, match="is no folder"):
        read_kustomization_objects(tmp_path / "absent", image_stream="release")
