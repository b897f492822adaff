# SPDX-License-Identifier: Apache-2.0
"""A render that fails leaves what was there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from okd_payload.engines.manifests import (
    Patch,
    PatchTarget,
    TextFile,
    make_kustomization,
    write_documents,
    write_folder,
)
from okd_payload.errors import InputError


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    """Folders in between are made, and the paths come back sorted."""
    files = [TextFile("b/two.yaml", "b: 1\n"), TextFile("a.yaml", "a: 1\n")]
    assert write_folder(files, tmp_path / "out") == ("a.yaml", "b/two.yaml")
    assert (tmp_path / "out" / "b" / "two.yaml").read_text() == "b: 1\n"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.yaml", "b"}


def test_two_files_of_one_name_write_nothing(tmp_path: Path) -> None:
    """Which one would win is nobody's guess: none is written, and the name is told."""
    with pytest.raises(InputError, match=r"two files would be a\.yaml"):
        write_folder([TextFile("a.yaml", "a"), TextFile("a.yaml", "b")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_failure_half_way_leaves_the_old_files(tmp_path: Path) -> None:
    """The second file cannot be written, so the first keeps its former content."""
    write_folder([TextFile("a.yaml", "old\n")], tmp_path)
    with pytest.raises(Exception, match=r"\.\."):
        write_folder([TextFile("a.yaml", "new\n"), TextFile("../out.yaml", "x")], tmp_path / ".")
    assert (tmp_path / "a.yaml").read_text() == "old\n"


def test_a_kustomization_is_what_kustomize_reads() -> None:
    """Defaults are left out, resources keep their order."""
    made = make_kustomization(
        resources=("b.yaml", "a.yaml"),
        patches=(Patch(patch="- op: test\n", target=PatchTarget(kind="Pipeline")),),
    )
    assert yaml.safe_load(write_documents([made])) == {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["b.yaml", "a.yaml"],
        "patches": [{"patch": "- op: test\n", "target": {"kind": "Pipeline"}}],
    }
