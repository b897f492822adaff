# SPDX-License-Identifier: Apache-2.0
"""What was planned on one machine is built from a digest on another."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from okd_payload.build.freeze import FrozenPlan, freeze
from okd_payload.build.plan import ComponentNode, ImportNode
from okd_payload.build.snapshot.archives import FILES_TYPE, unpack_files
from okd_payload.build.snapshot.making import (
    OpenedSnapshot,
    SnapshotRequest,
    make_snapshot,
    open_snapshot,
)
from okd_payload.build.snapshot.model import StoredSnapshot
from okd_payload.build.snapshot.sources import RecordingSources
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, Origin
from okd_payload.catalog.load import load_catalog
from okd_payload.catalog.stream import Stream
from okd_payload.clock import SystemClock
from okd_payload.errors import ContentError, InputError, NotFound, SourceError, UnsafeEntry
from okd_payload.locations import find_locations
from okd_payload.oci.blob_sources import FileSource
from okd_payload.oci.digest import Digest
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.writer import LayerWriter
from okd_payload.oci.manifest import Descriptor, Platform, encode_manifest
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.source.alteration import FileChanges, NewFile, Patch, Patches
from okd_payload.source.lock import Lock
from okd_payload.source.model import FolderSource, GitSource
from okd_payload.source.tree import Sources
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.memory_sources import MemorySourceTree

AMD64 = Platform(architecture="amd64")

STREAM = """\
name: small
catalog: [{components: components}]
imports:
  root: {command: [./root.sh]}
release: {base: base}
components:
  patched: {patches: patches}
"""

PATCH = """\
--- a/greeting
+++ b/greeting
@@ -1 +1 @@
-hello
+good evening
"""


def write(folder: Path) -> Path:
    """A stream with sources inside, beside and patched; its file."""
    files = {
        "stream/stream.yaml": STREAM,
        "stream/root.sh": "#!/bin/sh\nexit 1\n",
        "stream/patches/01-evening.patch": PATCH,
        "stream/components/base.yaml": "inlineDockerfile: |\n  FROM root\n",
        "stream/components/inner.yaml": "source: {folder: ../inner}\n",
        "stream/components/outer.yaml": "source: {folder: ../../outer}\n",
        "stream/components/patched.yaml": "source: {folder: ../../patched}\n",
        "stream/inner/Dockerfile": "FROM base\nCOPY run.sh /\n",
        "stream/inner/run.sh": "#!/bin/sh\n",
        "outer/Dockerfile": "FROM base\n",
        "outer/deep/er/file": "x" * 3_000_000,
        "patched/Dockerfile": "FROM base\nCOPY greeting /\n",
        "patched/greeting": "hello\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "stream/root.sh").chmod(0o755)
    (folder / "stream/inner/run.sh").chmod(0o755)
    (folder / "stream/inner/link").symlink_to("run.sh")
    return folder / "stream" / "stream.yaml"


def sources_in(folder: Path) -> Sources:
    """Sources whose cache is in ``folder``."""
    return Sources(
        find_locations(cache=folder / "cache", state=folder / "state"), clock=SystemClock()
    )


async def nothing(reference: Reference) -> Descriptor:
    """A resolver for streams that name no image of elsewhere."""
    raise AssertionError(reference)


class Made(msgspec.Struct):
    """A stream that was frozen and stored."""

    frozen: FrozenPlan
    stored: StoredSnapshot


async def snapshot_of(path: Path, repository: MemoryRepository, work: Path) -> Made:
    """Freeze the stream at ``path`` and store a snapshot of it."""
    sources = RecordingSources(sources_in(work))
    frozen = await freeze(
        load_catalog(path), sources=sources, resolve=nothing, platform=AMD64, lock=Lock()
    )
    assert not [issue for issue in frozen.plan.issues if issue.blocks]
    request = SnapshotRequest(frozen=frozen, given=Lock(), platform=AMD64)
    return Made(frozen, await make_snapshot(request, sources=sources, repository=repository))


async def opened(repository: MemoryRepository, made: Made, folder: Path) -> OpenedSnapshot:
    """The stored snapshot, on a machine that has nothing else."""
    return await open_snapshot(repository, Digest(made.stored.digest), empty(folder))


def empty(folder: Path) -> Path:
    """``folder``, made."""
    folder.mkdir()
    return folder


def is_program(path: str) -> bool:
    """Whether the file at ``path`` is there and may be run."""
    return Path(path).stat().st_mode & 0o777 == 0o755


async def test_a_plan_comes_back_with_its_paths_moved(tmp_path: Path) -> None:
    """Commits and Dockerfiles are those that were frozen; scripts are where they now lie."""
    repository = MemoryRepository("registry.test/content")
    made = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    assert made.stored.reference == f"registry.test/content@{made.stored.digest}"
    shutil.rmtree(tmp_path / "one")
    there = tmp_path / "there"
    snapshot = await opened(repository, made, there)
    plan = snapshot.document.frozen.plan
    assert plan.graph == made.frozen.plan.graph
    for name, node in made.frozen.plan.nodes.items():
        found = plan.nodes[name]
        if isinstance(node, ComponentNode):
            assert isinstance(found, ComponentNode)
            assert (found.commit, found.dockerfile) == (node.commit, node.dockerfile)
    root = plan.nodes["root"]
    assert isinstance(root, ImportNode)
    assert root.command == (str(there / "stream" / "root.sh"),)
    await snapshot.unpack_files()
    assert is_program(root.command[0])
    assert str(tmp_path / "one") not in repr(snapshot.document)


async def _unpack_all(snapshot: OpenedSnapshot, repository: Repository, there: Path) -> None:
    """Bring everything here, so that the stream file can be read like any other."""
    await snapshot.unpack_files()
    for folder in snapshot.document.folders:
        await unpack_files(repository, folder.layer, folder=there, place=folder.place)


async def test_every_folder_is_checked_out_as_it_was(tmp_path: Path) -> None:
    """Modes and links, a folder outside of the stream, and one with a patch in it."""
    repository = MemoryRepository()
    made = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    shutil.rmtree(tmp_path / "one")
    snapshot = await opened(repository, made, tmp_path / "there")
    sources = snapshot.sources(sources_in(tmp_path / "other"))
    for node in snapshot.document.frozen.plan.components:
        if node.component.source is not None and node.commit is not None:
            target = tmp_path / "out" / node.name
            await sources.check_out(node.component.source, node.commit, target)
            assert "Dockerfile" in await sources.list_files(node.component.source, node.commit)
    out = tmp_path / "out"
    assert (out / "patched" / "greeting").read_text() == "good evening\n"
    assert (out / "inner" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (out / "inner" / "link").readlink() == Path("run.sh")
    assert (out / "outer" / "deep" / "er" / "file").stat().st_size == 3_000_000


async def test_the_unpacked_stream_is_a_stream_like_any_other(tmp_path: Path) -> None:
    """Read from its file and frozen anew, it gives the same plan."""
    repository = MemoryRepository()
    made = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    snapshot = await opened(repository, made, tmp_path / "there")
    await _unpack_all(snapshot, repository, tmp_path / "there")
    catalog = load_catalog(snapshot.stream_file)
    assert {each.name for each in catalog.components} == {"base", "inner", "outer", "patched"}
    # What lay outside of the stream's folder has no place in it: the stream says so.
    assert {issue.component for issue in catalog.issues} == {"outer", "patched"}
    inner = next(each for each in catalog.components if each.name == "inner")
    assert inner.source is not None
    commit = await snapshot.sources(sources_in(tmp_path / "o")).resolve(inner.source)
    assert commit == made.frozen.lock.sources["inner"].commit


async def test_an_altered_commit_is_made_again_where_it_is_read(tmp_path: Path) -> None:
    """Patches on a git source travel as patches, and are applied when somebody checks out."""
    source = GitSource(url="https://example.com/etcd", ref="main")
    path = tmp_path / "stream" / "stream.yaml"
    (path.parent / "components").mkdir(parents=True)
    (path.parent / "patches").mkdir()
    (path.parent / "patches" / "01.patch").write_bytes(b"a patch")
    path.write_text(
        "name: small\ncatalog: [{components: components}]\ncomponents: {etcd: {patches: patches}}\n"
    )
    (path.parent / "components" / "etcd.yaml").write_text(
        "source: {git: https://example.com/etcd, ref: main}\n"
    )
    memory = [MemorySourceTree(), MemorySourceTree()]
    for tree, folder in zip(memory, ("stream", "there/stream"), strict=True):
        patch = Patch(str(tmp_path / folder / "patches" / "01.patch"), b"a patch")
        tree.put(source, {"Dockerfile": "FROM scratch\n"})
        changes = FileChanges(message="x", files=(NewFile("new", b"1"),))
        tree.let_patches(Patches((patch,)), changes)
    recording = RecordingSources(memory[0])
    frozen = await freeze(
        load_catalog(path), sources=recording, resolve=nothing, platform=AMD64, lock=Lock()
    )
    repository = MemoryRepository()
    request = SnapshotRequest(frozen=frozen, given=Lock(), platform=AMD64)
    stored = await make_snapshot(request, sources=recording, repository=repository)
    snapshot = await open_snapshot(repository, Digest(stored.digest), empty(tmp_path / "there"))
    (node,) = snapshot.document.frozen.plan.components
    assert node.commit is not None
    sources = snapshot.sources(memory[1])
    assert await sources.list_files(source, node.commit) == ("Dockerfile", "new")
    await sources.check_out(source, node.commit, tmp_path / "out")
    assert (tmp_path / "out" / "new").read_text() == "1"


async def test_equal_streams_are_equal_snapshots_wherever_they_are(tmp_path: Path) -> None:
    """Neither the folder, nor times, nor who writes it changes the digest."""
    repository = MemoryRepository()
    one = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    two = await snapshot_of(write(tmp_path / "deeper" / "two"), repository, tmp_path / "w")
    assert one.stored == two.stored
    (tmp_path / "one" / "stream" / "inner" / "run.sh").write_text("#!/bin/sh\ntrue\n")
    assert (
        await snapshot_of(tmp_path / "one" / "stream", repository, tmp_path)
    ).stored != one.stored


async def test_what_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    """A digest that means nothing, or an image, or a snapshot of another version."""
    repository = MemoryRepository("registry.test/content")
    missing = Digest("sha256:" + "0" * 64)
    with pytest.raises(NotFound, match="there is no snapshot") as caught:
        await open_snapshot(repository, missing, tmp_path)
    assert "step snapshot" in caught.value.hint
    made = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    manifest = (await repository.manifests.get(made.stored.digest)).image()
    other = encode_manifest(msgspec.structs.replace(manifest, artifact_type="application/x"))
    await repository.manifests.put(other)
    with pytest.raises(ContentError, match="no snapshot of a stream"):
        await open_snapshot(repository, other.digest, tmp_path)


async def test_another_version_does_not_read_half_of_a_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names both versions and asks for one image everywhere."""
    repository = MemoryRepository()
    monkeypatch.setattr("okd_payload.build.snapshot.making.__version__", "0.0.1")
    made = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"made by okd-payload 0\.0\.1") as caught:
        await open_snapshot(repository, Digest(made.stored.digest), tmp_path)
    assert "one version" in caught.value.hint


async def test_a_folder_that_is_not_what_was_planned_is_refused(tmp_path: Path) -> None:
    """Content is compared with its commit before anything is built from it."""
    repository = MemoryRepository()
    made = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    snapshot = await opened(repository, made, tmp_path / "there")
    node = snapshot.document.frozen.plan.nodes["inner"]
    assert isinstance(node, ComponentNode)
    assert node.commit is not None
    assert node.component.source is not None
    (tmp_path / "there" / "stream" / "inner").mkdir(parents=True)
    (tmp_path / "there" / "stream" / "inner" / "more").write_text("x")
    with pytest.raises(SourceError, match="is not its content"):
        await snapshot.sources(sources_in(tmp_path)).check_out(
            node.component.source, node.commit, tmp_path / "out"
        )


async def test_a_stream_beside_large_things_is_refused(tmp_path: Path) -> None:
    """A snapshot is small; who keeps a stream in a home folder is told to move it."""
    path = write(tmp_path / "one")
    with (path.parent / "large").open("wb") as file:
        file.truncate(65 * 1024**2)
    with pytest.raises(InputError, match="the stream in"):
        await snapshot_of(path, MemoryRepository(), tmp_path)


async def test_definitions_elsewhere_come_along(tmp_path: Path) -> None:
    """A kustomization outside of the stream's folder, and the bases that it stands on."""
    files = {
        "streams/scos/stream.yaml": "name: scos\ncatalog:\n"
        "  - kustomization: ../../definitions/variants/scos\n  - components: ../shared\n"
        "release: {base: base}\n",
        "streams/shared/base.yaml": "inlineDockerfile: |\n  FROM scratch\n",
        "streams/other/unused": "x",
        "definitions/variants/scos/kustomization.yaml": "resources: [../../base]\n",
        "definitions/base/kustomization.yaml": "resources: [etcd.yaml]\n",
        "definitions/base/etcd.yaml": "apiVersion: build.openshift.io/v1\nkind: BuildConfig\n"
        "metadata: {name: etcd}\nspec:\n"
        "  output: {to: {kind: ImageStreamTag, name: release:etcd}}\n"
        "  source: {dockerfile: FROM scratch}\n  strategy: {dockerStrategy: {}}\n",
    }
    for name, text in files.items():
        put(tmp_path / "one" / name, text)
    repository = MemoryRepository()
    made = await snapshot_of(tmp_path / "one/streams/scos", repository, tmp_path)
    snapshot = await opened(repository, made, tmp_path / "there")
    await _unpack_all(snapshot, repository, tmp_path / "there")
    catalog = load_catalog(snapshot.stream_file)
    assert [each.name for each in catalog.components] == ["base", "etcd"]
    assert catalog.issues == ()
    assert present(tmp_path / "there") == {f"stream/{name}" for name in files} - {
        "stream/streams/other/unused"
    }


def put(path: Path, text: str) -> None:
    """Write a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def present(folder: Path) -> set[str]:
    """The files below ``folder``."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_a_change_of_a_release_needs_no_stream_file(tmp_path: Path) -> None:
    """Its catalog was made from the release and the folder that is given."""
    put(tmp_path / "etcd" / "Dockerfile", "FROM scratch\n")
    component = Component(
        name="etcd",
        tag="etcd",
        origin=Origin(""),
        source=FolderSource(path=str(tmp_path / "etcd")),
    )
    catalog = Catalog(path="", stream=Stream(name="change", catalog=()), components=(component,))
    sources = RecordingSources(sources_in(tmp_path))
    frozen = await freeze(
        catalog, sources=sources, resolve=nothing, platform=AMD64, lock=Lock(), only=["etcd"]
    )
    repository = MemoryRepository()
    request = SnapshotRequest(frozen=frozen, given=Lock(), platform=AMD64, overridden=True)
    stored = await make_snapshot(request, sources=sources, repository=repository)
    snapshot = await opened(repository, Made(frozen, stored), tmp_path / "there")
    await _unpack_all(snapshot, repository, tmp_path / "there")
    (node,) = snapshot.document.frozen.plan.components
    assert node.component.source is not None
    assert snapshot.document.frozen.only == {"etcd"}
    commit = await snapshot.sources(sources_in(tmp_path / "x")).resolve(node.component.source)
    assert commit == node.commit


async def test_a_forged_layer_never_leads_out(tmp_path: Path) -> None:
    """Whoever can write to the repository gets no file of this machine changed."""
    repository = MemoryRepository()
    made = await snapshot_of(write(tmp_path / "one"), repository, tmp_path)
    with LayerWriter(tmp_path / "forged", media_type=FILES_TYPE) as writer:
        writer.add(Entry(name="../../outside", size=1), [b"x"])
        layer = writer.finish()
    await repository.blobs.write(layer.descriptor, FileSource(layer.path))
    snapshot = await opened(repository, made, tmp_path / "there")
    forged = OpenedSnapshot(
        repository,
        tmp_path / "there",
        msgspec.structs.replace(snapshot.document, files=layer.descriptor),
    )
    with pytest.raises(UnsafeEntry):
        await forged.unpack_files()
    assert not present(tmp_path / "there")
