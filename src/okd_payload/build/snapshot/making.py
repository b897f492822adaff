# SPDX-License-Identifier: Apache-2.0
"""Making a snapshot of a frozen plan, and opening one.

A folder that components are built from lies in the unpacked snapshot where the stream file names
it, as far as that is below the stream; every other, and what is altered, lies in ``sources``
under its commit. Folders are unpacked when somebody reads them: to plan, nobody does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from okd_payload import __version__
from okd_payload.build.freeze import FrozenPlan
from okd_payload.build.plan import Plan
from okd_payload.build.snapshot.archives import pack_files, unpack_files
from okd_payload.build.snapshot.artifact import fetch_document, store_artifact
from okd_payload.build.snapshot.gathering import StreamFiles, gather_files
from okd_payload.build.snapshot.model import PackedFolder, SnapshotDocument, StoredSnapshot
from okd_payload.build.snapshot.relocation import decode_document, encode_document
from okd_payload.build.snapshot.sources import RecordingSources, SnapshotSources
from okd_payload.catalog.stream import CatalogSource
from okd_payload.oci.digest import Digest
from okd_payload.oci.layers.writer import LayerBlob
from okd_payload.oci.manifest import Platform
from okd_payload.oci.repository import Repository
from okd_payload.oci.threads import finish_in_thread
from okd_payload.source.content import list_files
from okd_payload.source.listing import ListedSourceTree
from okd_payload.source.lock import Lock
from okd_payload.source.model import Commit, FolderSource

STREAM_PLACE = "stream"
SOURCES_PLACE = "sources"


class SnapshotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot is made of, beside files."""

    frozen: FrozenPlan
    given: Lock
    platform: Platform
    overridden: bool = False
    from_release: str = ""


class _Folder(msgspec.Struct, frozen=True):
    source: FolderSource
    commit: Commit
    is_altered: bool


async def make_snapshot(
    request: SnapshotRequest, *, sources: RecordingSources, repository: Repository
) -> StoredSnapshot:
    """Store a snapshot of ``request`` in ``repository``; equal ones have equal digests.

    ``sources`` are those that it was planned with. Raises InputError for a stream that is too
    large, SourceError, StorageError and RegistryError.
    """
    catalog, plan = request.frozen.catalog, request.frozen.plan
    folders = _folders_of(plan)
    roots = {Path(each.source.path) for each in folders}
    files = await finish_in_thread(lambda: gather_files(catalog, leaving=roots))
    with tempfile.TemporaryDirectory(prefix="okd-payload-snapshot-") as name:
        work = Path(name)
        head = await pack_files(files.root, files.paths, work / "files")
        layers, packed = [head], []
        for number, each in enumerate(folders):
            layer = await _pack_folder(each, sources, work / str(number))
            layers.append(layer)
            place = _place_of(each, files, roots)
            packed.append(PackedFolder(commit=each.commit, place=place, layer=layer.descriptor))
        document = SnapshotDocument(
            tool=__version__,
            platform=request.platform,
            frozen=_with_file(request.frozen),
            given=request.given,
            overridden=request.overridden,
            from_release=request.from_release,
            files=head.descriptor,
            folders=tuple(packed),
            alterations=tuple(sources.alterations[commit.id] for commit in _altered(plan, sources)),
        )
        places = {each.source.path: item.place for each, item in zip(folders, packed, strict=True)}
        places[str(files.root)] = STREAM_PLACE
        content = encode_document(document, places)
        manifest, size = await store_artifact(repository, content, _unique(layers))
    return StoredSnapshot(
        reference=f"{repository.name}@{manifest.digest}", digest=manifest.digest, size=size
    )


class OpenedSnapshot:
    """A snapshot that is used: its document, and its files as they are needed."""

    def __init__(self, repository: Repository, folder: Path, document: SnapshotDocument) -> None:
        self.document = document
        self._repository = repository
        self._folder = folder

    @property
    def stream_file(self) -> Path:
        """Where the stream file is, once the files are unpacked."""
        return Path(self.document.frozen.catalog.path)

    def sources(self, inner: ListedSourceTree) -> SnapshotSources:
        """``inner`` with what this snapshot brings in front."""
        return SnapshotSources(
            inner,
            root=self._folder,
            folders=self.document.folders,
            alterations=self.document.alterations,
            unpack=self._unpack,
        )

    async def unpack_files(self) -> None:
        """Bring the files of the stream here: scripts of imports are among them."""
        await unpack_files(
            self._repository, self.document.files, folder=self._folder, place=STREAM_PLACE
        )

    async def _unpack(self, folder: PackedFolder) -> Path:
        await unpack_files(self._repository, folder.layer, folder=self._folder, place=folder.place)
        return self._folder / folder.place


async def open_snapshot(repository: Repository, digest: Digest, folder: Path) -> OpenedSnapshot:
    """The snapshot ``digest``, to be unpacked to ``folder``, which is absolute and empty.

    Raises NotFound, InputError when another version made it, and ContentError.
    """
    content = await fetch_document(repository, digest)
    document = decode_document(content, folder, tool=__version__)
    return OpenedSnapshot(repository, folder, document)


def _with_file(frozen: FrozenPlan) -> FrozenPlan:
    """``frozen`` as a stream that a file could say.

    A change of a release has no file, so its stream names no definitions, which is read as a
    mistake everywhere else. All of them are in the catalog, and nobody reads them again.
    """
    catalog = frozen.catalog
    if catalog.stream.catalog:
        return frozen
    stream = msgspec.structs.replace(catalog.stream, catalog=(CatalogSource(components="."),))
    return msgspec.structs.replace(frozen, catalog=msgspec.structs.replace(catalog, stream=stream))


def _folders_of(plan: Plan) -> tuple[_Folder, ...]:
    """Every folder at every commit that something is built from, in a fixed order."""
    found: dict[str, _Folder] = {}
    for node in plan.components:
        source = node.component.source
        if not isinstance(source, FolderSource) or node.commit is None:
            continue
        if node.base is not None:
            found.setdefault(node.base.id, _Folder(source, node.base, is_altered=False))
        altered = node.base is not None
        found.setdefault(node.commit.id, _Folder(source, node.commit, is_altered=altered))
    return tuple(found[key] for key in sorted(found))


async def _pack_folder(folder: _Folder, sources: ListedSourceTree, target: Path) -> LayerBlob:
    with tempfile.TemporaryDirectory(prefix="okd-payload-folder-") as name:
        content = Path(name) / "content"
        await sources.check_out(folder.source, folder.commit, content)
        paths = await finish_in_thread(list_files, content)
        return await pack_files(content, paths, target)


def _place_of(folder: _Folder, files: StreamFiles, roots: Collection[Path]) -> str:
    """Where the content of ``folder`` is put, below the folder of the unpacked snapshot."""
    path = Path(os.path.normpath(folder.source.path))
    stands_alone = not any(
        path != other and (path.is_relative_to(other) or other.is_relative_to(path))
        for other in roots
    )
    inside = path != files.root and path.is_relative_to(files.root)
    if inside and stands_alone and not folder.is_altered:
        return f"{STREAM_PLACE}/{path.relative_to(files.root)}"
    return f"{SOURCES_PLACE}/{folder.commit.id}"


def _altered(plan: Plan, sources: RecordingSources) -> list[Commit]:
    """The altered commits that are built, and those that they stand on."""
    found: dict[str, Commit] = {}
    waiting = [node.commit for node in plan.components if node.commit is not None]
    while waiting:
        commit = waiting.pop()
        if commit.id in sources.alterations and commit.id not in found:
            found[commit.id] = commit
            waiting.append(sources.alterations[commit.id].base)
    return [found[key] for key in sorted(found)]


def _unique(layers: Iterable[LayerBlob]) -> tuple[LayerBlob, ...]:
    """``layers`` without those that are equal to one before."""
    return tuple({layer.digest: layer for layer in layers}.values())
