# SPDX-License-Identifier: Apache-2.0
"""Patches of components: part of the build key, tried at every ref, not part of the lock."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import write_stream
from workshop import Workshop, from_git, source_of

from okd_payload.build.steps import ALTERED_LABEL
from okd_payload.catalog.catalog import Catalog
from okd_payload.oci.image import read_image
from okd_payload.source.alteration import FileChanges, NewFile, Patch, PatchConflict, Patches

STREAM = "components:\n  etcd: {patches: patches/etcd}\n"
FIX = FileChanges(message="With 0001-fix.patch", files=(NewFile("fix.txt", b"fixed"),))


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """A component with a folder of patches, and one without."""
    folder = tmp_path / "patches" / "etcd"
    folder.mkdir(parents=True)
    (folder / "0001-fix.patch").write_text("a patch")
    (folder / "README").write_text("no patch")
    return write_stream(
        tmp_path, {"etcd": from_git("etcd"), "tools": from_git("tools")}, stream=STREAM
    )


@pytest.fixture
def patches(tmp_path: Path) -> Patches:
    """What is in the folder."""
    return Patches((Patch(str(tmp_path / "patches/etcd/0001-fix.patch"), b"a patch"),))


@pytest.fixture
def workshop(workshop: Workshop) -> Workshop:
    """Sources that are built on nothing."""
    for name in ("etcd", "tools"):
        workshop.put(name, "FROM scratch\nCOPY . /\n")
    return workshop


async def test_a_patched_source_is_what_is_built(
    workshop: Workshop, catalog: Catalog, patches: Patches
):
    """The build context has the patch; the image names the commit that the world knows."""
    workshop.sources.let_patches(patches, FIX)
    base = await workshop.sources.resolve(source_of("etcd"))
    outcome = await workshop.run(catalog)
    step = next(step for step in workshop.engine.built if step.component == "etcd")
    assert step.commit is not None
    assert step.source is not None
    assert await workshop.sources.read_file(step.source, step.commit, "fix.txt") == b"fixed"
    image = await read_image(workshop.content, outcome.images["etcd"].digest)
    assert image.config.labels["io.openshift.build.commit.id"] == base.id
    assert image.config.labels[ALTERED_LABEL] == step.commit.id != base.id


async def test_the_lock_has_the_commit_of_the_source(
    workshop: Workshop, catalog: Catalog, patches: Patches
):
    """Patches lie beside the stream file, so whoever has the lock has them, too."""
    workshop.sources.let_patches(patches, FIX)
    base = await workshop.sources.resolve(source_of("etcd"))
    first = await workshop.freeze(catalog)
    assert first.lock.sources["etcd"].commit == base
    again = await workshop.freeze(catalog, lock=first.lock)
    assert again.plan == first.plan


async def test_another_patch_builds_the_component_anew_and_nothing_else(
    workshop: Workshop, catalog: Catalog, patches: Patches
):
    """The content decides, not the name of the patch."""
    workshop.sources.let_patches(patches, FIX)
    await workshop.run(catalog)
    await workshop.run(catalog)
    assert workshop.built == []
    workshop.sources.let_patches(
        patches, FileChanges(message=FIX.message, files=(NewFile("fix.txt", b"otherwise"),))
    )
    await workshop.run(catalog)
    assert workshop.built == ["etcd"]


async def test_a_patch_that_no_longer_applies_is_an_issue(
    workshop: Workshop, catalog: Catalog, patches: Patches
):
    """The place is the patch, and the others are planned all the same."""
    conflict = PatchConflict(patches.patches[0], reason="main.go, hunk @@ -1 +1 @@", hint="anew")
    workshop.sources.let_patches(patches, conflict)
    frozen = await workshop.freeze(catalog)
    (issue,) = [item for item in frozen.plan.issues if item.code == "patch-conflict"]
    assert issue.message == "0001-fix.patch does not apply: main.go, hunk @@ -1 +1 @@"
    assert issue.file.endswith("patches/etcd/0001-fix.patch")
    assert (issue.component, issue.blocks) == ("etcd", True)
    assert frozen.lock.sources.keys() == {"tools"}


@pytest.mark.parametrize("left", ["README", ""])
async def test_a_folder_without_patches_is_an_issue(
    workshop: Workshop, catalog: Catalog, tmp_path: Path, left: str
):
    """Whoever names a folder meant that there is something in it."""
    folder = tmp_path / "patches" / "etcd"
    (folder / "0001-fix.patch").unlink()
    if not left:
        (folder / "README").unlink()
        folder.rmdir()
    frozen = await workshop.freeze(catalog)
    codes = [issue.code for issue in frozen.plan.issues if issue.component == "etcd"]
    assert "missing-patches" in codes
