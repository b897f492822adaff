# SPDX-License-Identifier: Apache-2.0
"""The operator's own manifests, which are in the image that a payload is put on.

A cluster reads them before those of the payload. Nobody checks them when a release is made: they
are templates, which the operator fills in when it has the payload on its disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

from okd_payload.issues import Issue
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import read_files
from okd_payload.oci.repository import Repository
from okd_payload.release import codes, labels
from okd_payload.release.accept.unpack import read_unpacked
from okd_payload.release.cluster.metadata import read_images
from okd_payload.release.cluster.payload import OWN_FOLDER, render_context
from okd_payload.release.cluster.refusal import UnusableMetadata
from okd_payload.release.cluster.settings import ClusterSettings
from okd_payload.release.cluster.tree import PayloadTree
from okd_payload.release.go_template.errors import TemplateError
from okd_payload.release.go_template.render import parse, render
from okd_payload.release.go_template.values import Record
from okd_payload.release.lint import codes as lint_codes
from okd_payload.release.load import ReleaseContent
from okd_payload.release.naming import is_manifest
from okd_payload.release.objects import ObjectKey, Problem, read_objects

_SOME_PROFILE = ClusterSettings()
_UNREADABLE_HINT = "the cluster refuses the whole payload for it: make the image again"


async def lint_base(content: ReleaseContent, repository: Repository) -> list[Issue]:
    """An issue when the operator itself brings no manifests. Raises RegistryError.

    Layers are read from the top, until one has the folder: usually the first.
    """
    if content.image is None:
        return []
    for layer in reversed(content.image.layers[:-1]):
        async with aclosing(read_files(repository.blobs, layer, want=_is_base)) as files:
            async for _ in files:
                return []
    return [_no_folder()]


def lint_tree(tree: PayloadTree, *, release_image: str) -> Iterator[Issue]:
    """What an unpacked payload shows beyond the files of the release.

    ``release_image`` is the pull spec that the operator's templates would be filled in with.
    """
    for folder, prefix in ((tree.own, f"{OWN_FOLDER}/"), (tree.release, "")):
        for name, reason in sorted(folder.broken.items() if folder else ()):
            if is_manifest(name):
                yield codes.INVALID_MANIFEST.issue(
                    f"it cannot be opened: {reason}",
                    file=f"{prefix}{name}",
                    hint=_UNREADABLE_HINT,
                )
    if tree.own is None:
        yield _no_folder()
        return
    context = _context(tree, release_image)
    for name in sorted(filter(is_manifest, tree.own.files)):
        yield from _check_own(name, tree.own.files[name], context)


def read_tree(root: Path) -> PayloadTree | None:
    """The payload that was unpacked into ``root``; None when there is none in it.

    Raises StorageError.
    """
    tree = read_unpacked(root)
    return tree if tree.own or tree.release else None


def _check_own(name: str, content: bytes, context: Record | None) -> Iterator[Issue]:
    file = f"{OWN_FOLDER}/{name}"
    if b"{{" in content:
        if context is None:
            return
        try:
            template = parse(content.decode(errors="surrogateescape"), name=name)
            content = render(template, context).encode(errors="surrogateescape")
        except TemplateError as error:
            yield lint_codes.SKIPPED_TEMPLATE.issue(
                f"the template cannot be filled in, so the file is left out: {error.message}",
                file=file,
                hint="the operator only knows .ReleaseImage, .ClusterProfile and .Images",
            )
            return
    seen: set[ObjectKey] = set()
    for item in read_objects(content).documents:
        if isinstance(item, Problem):
            yield codes.INVALID_MANIFEST.issue(
                item.message, file=file, line=item.line, hint=_UNREADABLE_HINT
            )
        elif item.key in seen:
            yield codes.DUPLICATE_OBJECT.issue(
                f"duplicate resource: {item.key}", file=file, line=item.line, hint=_UNREADABLE_HINT
            )
        else:
            seen.add(item.key)


def _context(tree: PayloadTree, release_image: str) -> Record | None:
    """What templates are filled in with; None when the list of images cannot be read."""
    text = tree.release.files.get(labels.IMAGE_REFERENCES) if tree.release else None
    try:
        images = None if text is None else read_images(text)
    except UnusableMetadata:
        return None
    return None if images is None else render_context(release_image, _SOME_PROFILE, images)


def _no_folder() -> Issue:
    return codes.MISSING_FILE.issue(
        f"the base image has no folder /{OWN_FOLDER}, so clusters take this for no payload",
        file=OWN_FOLDER,
        hint="the base must be an image of the cluster-version-operator",
    )


def _is_base(entry: Entry) -> bool:
    return entry.path.startswith(f"{OWN_FOLDER}/")
