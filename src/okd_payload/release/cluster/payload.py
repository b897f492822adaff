# SPDX-License-Identifier: Apache-2.0
"""Loading a payload: from the files on an operator's disk to the objects that it will apply.

The operator's own manifests come first and are rendered as templates; one that cannot be
rendered is skipped. Then come those of the release, as they are. A document that is no object,
or an object twice in a file, makes the operator refuse the whole payload, also where it would
have left that object out; all such files are told at once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.release import labels
from okd_payload.release.cluster.include import why_excluded
from okd_payload.release.cluster.metadata import (
    ReleaseFacts,
    ReleaseImages,
    read_facts,
    read_images,
)
from okd_payload.release.cluster.refusal import INTEGRITY, Refusal, UnusableMetadata
from okd_payload.release.cluster.settings import ClusterSettings
from okd_payload.release.cluster.tree import PayloadFolder, PayloadTree
from okd_payload.release.go_template.errors import TemplateError
from okd_payload.release.go_template.render import parse, render
from okd_payload.release.go_template.values import Record
from okd_payload.release.naming import is_manifest
from okd_payload.release.objects import (
    ManifestFile,
    ManifestObject,
    ObjectKey,
    Problem,
    read_objects,
)

OWN_FOLDER = "manifests"
"""Where the image of the operator has its own manifests."""
ReadObjects = Callable[[bytes], ManifestFile]
"""Gives the objects of a file, by the rules of the operator."""
_NOTHING_THERE = "no such file or directory"
_HASH_BASE, _HASH_PRIME, _HASH_BITS = 0xCBF29CE484222325, 0x100000001B3, 64


class LoadedManifest(msgspec.Struct, frozen=True):
    """An object of a payload, and the file that it is from."""

    file: str
    item: ManifestObject

    def __str__(self) -> str:
        return f"Filename: {quote(self.file)} {describe_key(self.item.key)}"


class ExcludedManifest(msgspec.Struct, frozen=True):
    """An object that is not for this cluster, and why."""

    manifest: LoadedManifest
    reason: str


class LoadedPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A payload as an operator holds it."""

    facts: ReleaseFacts
    images: ReleaseImages
    manifests: tuple[LoadedManifest, ...]
    """In the order in which they are applied."""
    excluded: tuple[ExcludedManifest, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The name of the release."""
        return self.facts.metadata.version

    @property
    def created(self) -> datetime | None:
        """When the release was made."""
        return self.images.created


def load_payload(
    tree: PayloadTree,
    settings: ClusterSettings,
    *,
    release_image: str,
    folder: str = "",
    read: ReadObjects = read_objects,
) -> LoadedPayload | Refusal:
    """What an operator with ``settings`` makes of the payload that was unpacked in ``folder``.

    ``release_image`` is the pull spec by which it was asked for it. The major version that
    objects may ask for is that of the payload. Who loads several payloads may ``read`` files
    that they share only once.
    """
    problem = _find_missing(tree, folder)
    if problem or tree.own is None or tree.release is None:
        return Refusal(message=problem)
    try:
        facts = read_facts(_read(tree.release, labels.RELEASE_METADATA, folder))
        images = read_images(_read(tree.release, labels.IMAGE_REFERENCES, folder))
    except UnusableMetadata as error:
        return Refusal(message=error.message)
    if images.name != facts.metadata.version:
        return Refusal(
            message=f"version from {labels.IMAGE_REFERENCES} ({images.name}) "
            f"differs from {labels.RELEASE_METADATA} ({facts.metadata.version})",
            warnings=facts.warnings,
        )
    settings = msgspec.structs.replace(settings, major_version=facts.version.major)
    loading = _Loading(settings, read, list(facts.warnings))
    context = render_context(release_image, settings, images)
    loading.read(tree.own, f"{folder}/{OWN_FOLDER}", context)
    loading.read(tree.release, f"{folder}/{labels.FOLDER}", None)
    if loading.problems:
        return Refusal(
            reason=INTEGRITY,
            message=f"Error loading manifests from {folder}: {_aggregate(loading.problems)}",
            warnings=tuple(loading.warnings),
        )
    return LoadedPayload(
        facts=facts,
        images=images,
        manifests=tuple(loading.manifests),
        excluded=tuple(loading.excluded),
        warnings=tuple(loading.warnings),
    )


def hash_manifests(manifests: Iterable[LoadedManifest]) -> str:
    """The hash by which an operator tells in its log which objects it holds (FNV-1)."""
    value = _HASH_BASE
    mask = (1 << _HASH_BITS) - 1
    for manifest in manifests:
        for byte in manifest.item.raw:
            value = (value * _HASH_PRIME & mask) ^ byte
    return base64.urlsafe_b64encode(value.to_bytes(_HASH_BITS // 8)).decode()


def describe_key(key: ObjectKey) -> str:
    """An object as the operator's messages name it."""
    namespace = f"Namespace: {quote(key.namespace)} " if key.namespace else ""
    return f"Group: {quote(key.group)} Kind: {quote(key.kind)} {namespace}Name: {quote(key.name)}"


def render_context(image: str, settings: ClusterSettings, images: ReleaseImages) -> Record:
    """What the templates among an operator's own manifests may name."""
    return Record(
        "payload.manifestRenderConfig",
        {
            "ReleaseImage": image,
            "ClusterProfile": settings.profile or "",
            "Images": images.pull_specs,
        },
    )


class _Loading:
    """The objects found so far, and what bars the payload."""

    def __init__(
        self, settings: ClusterSettings, read_file: ReadObjects, warnings: list[str]
    ) -> None:
        self.manifests: list[LoadedManifest] = []
        self.excluded: list[ExcludedManifest] = []
        self.problems: list[str] = []
        self.warnings = warnings
        self._settings = settings
        self._read_objects = read_file

    def read(self, folder: PayloadFolder, path: str, context: Record | None) -> None:
        """Load the files of a folder in byte order, rendered where there is a ``context``."""
        for name in sorted({*folder.files, *folder.broken}, key=_as_bytes):
            if not is_manifest(name):
                continue
            if name in folder.broken:
                self.problems.append(_system_error(folder.broken[name], f"{path}/{name}"))
                continue
            content: bytes | None = folder.files[name]
            if context is not None:
                content = self._render(name, folder.files[name], context)
            if content is not None:
                self._read_file(name, content)

    def _render(self, name: str, content: bytes, context: Record) -> bytes | None:
        if b"{{" not in content:
            return content
        try:
            what = "failed to parse manifest"
            template = parse(content.decode(errors="surrogateescape"), name="manifest")
            what = "failed to execute template"
            return render(template, context).encode(errors="surrogateescape")
        except TemplateError as error:
            self.warnings.append(
                f"Skipping manifest {name}: template rendering failed "
                f"(may require newer CVO): {what}: {error.message}"
            )
            return None

    def _read_file(self, name: str, content: bytes) -> None:
        found = list[LoadedManifest]()
        for item in _find_objects(self._read_objects(content)):
            if isinstance(item, str):
                self.problems.append(f"parse {name}: {item}")
                return
            found.append(LoadedManifest(name, item))
        for manifest in found:
            reason = why_excluded(manifest.item, self._settings)
            if reason:
                self.excluded.append(ExcludedManifest(manifest, reason))
            else:
                self.manifests.append(manifest)


def _find_objects(file: ManifestFile) -> Iterator[ManifestObject | str]:
    """The objects of a file, or instead of the first bad one what is wrong with it."""
    seen: set[ObjectKey] = set()
    for item in file.documents:
        if isinstance(item, Problem):
            yield f"error parsing: {item.message}"
            return
        if item.key in seen:
            yield f"duplicate resource: ({describe_key(item.key)})"
            return
        seen.add(item.key)
        yield item


def _find_missing(tree: PayloadTree, folder: str) -> str:
    """What makes the operator say that this is no payload at all."""
    for name, found in ((OWN_FOLDER, tree.own), (labels.FOLDER, tree.release)):
        if found is None:
            return f"stat {folder}/{name}: {_NOTHING_THERE}"
    for name in (labels.RELEASE_METADATA, labels.IMAGE_REFERENCES):
        found = tree.release
        if found and name not in found.files and name not in found.folders:
            return f"stat {folder}/{labels.FOLDER}/{name}: {_NOTHING_THERE}"
    return ""


def _read(folder: PayloadFolder, name: str, root: str) -> bytes:
    if name in folder.folders:
        raise UnusableMetadata(f"read {root}/{labels.FOLDER}/{name}: is a directory")
    return folder.files[name]


def _system_error(reason: str, path: str) -> str:
    verb = "read" if reason == "is a directory" else "open"
    return f"{verb} {path}: {reason}"


def _aggregate(problems: list[str]) -> str:
    """Several problems as Kubernetes tells them: each once, in brackets."""
    each = list(dict.fromkeys(problems))
    return each[0] if len(each) == 1 else f"[{', '.join(each)}]"


def _as_bytes(name: str) -> bytes:
    return name.encode(errors="surrogateescape")
