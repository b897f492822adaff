# SPDX-License-Identifier: Apache-2.0
"""Catalog sources: folders of definition files, read whatever is wrong with one of them.

A file that cannot be read is an issue, so that all bad files are reported at once. Files are
read in the order of their names.
"""

from __future__ import annotations

import errno
from pathlib import Path

from okd_payload.catalog import codes
from okd_payload.catalog.buildconfig import read_build_config
from okd_payload.catalog.component import Layering
from okd_payload.catalog.component_file import read_component_file
from okd_payload.catalog.definition import Definitions
from okd_payload.catalog.image_stream_file import read_image_stream
from okd_payload.documents import Document, read_documents
from okd_payload.errors import InvalidDocument
from okd_payload.issues import Issue

_SUFFIXES = (".yaml", ".yml")
_DEFINING_KINDS = frozenset({"BuildConfig", "ImageStream"})


def read_component_files(path: Path, *, layering: Layering) -> Definitions:
    """The components of the folder at ``path``, or of one file.

    ``layering`` is what counts where a file says nothing about it. Raises OSError when there
    is no such folder or file.
    """
    found = Definitions()
    for file in _definition_files(path):
        try:
            found += Definitions((read_component_file(file, layering=layering),))
        except InvalidDocument as error:
            found += Definitions(issues=(issue_of(error),))
    return found


def read_openshift_files(path: Path, *, image_stream: str) -> Definitions:
    """What the BuildConfigs and ImageStreams of the folder at ``path``, or of one file, define.

    Raises OSError when there is no such folder or file.
    """
    found = Definitions()
    for file in _definition_files(path):
        try:
            documents = read_documents(file)
        except InvalidDocument as error:
            found += Definitions(issues=(issue_of(error),))
            continue
        for document in documents:
            found += _read_object(document, image_stream)
    return found


def read_kustomization_objects(path: Path, *, image_stream: str) -> Definitions:
    """What the BuildConfigs and ImageStreams that the kustomization at ``path`` makes define.

    Its other objects are for clusters. Raises OSError when there is no such folder.
    """
    from okd_payload.catalog.kustomize import render_kustomization

    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{path} is no folder")
    rendering = render_kustomization(path)
    found = Definitions(issues=rendering.issues)
    for each in rendering.objects:
        if each.identity.kind in _DEFINING_KINDS:
            found += _read_object(each.document, image_stream)
    return found


def _definition_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)


def _read_object(document: Document, image_stream: str) -> Definitions:
    kind = document.value.get("kind") if isinstance(document.value, dict) else None
    items = document.value.get("items") if kind == "List" else None
    if isinstance(items, list):
        found = Definitions()
        for number in range(len(items)):
            found += _read_object(_part_of(document, number), image_stream)
        return found
    try:
        if kind == "BuildConfig":
            return read_build_config(document, image_stream=image_stream)
        if kind == "ImageStream":
            return read_image_stream(document, image_stream=image_stream)
    except InvalidDocument as error:
        return Definitions(issues=(issue_of(error),))
    issue = codes.IGNORED_DOCUMENT.issue(
        f"{kind or 'a document without kind'} is neither a BuildConfig nor an ImageStream",
        file=document.path,
        line=document.line_of(()),
        hint="name the folder as `kustomization` instead of `buildConfigs` to have it rendered"
        if kind == "Kustomization"
        else "",
    )
    return Definitions(issues=(issue,))


def _part_of(document: Document, number: int) -> Document:
    """Item ``number`` of a list, as a document of its own."""
    lines = {
        field[2:]: line for field, line in document.lines.items() if field[:2] == ("items", number)
    }
    return Document(document.path, document.value["items"][number], lines)


def issue_of(error: InvalidDocument) -> Issue:
    """``error`` as an issue, for files whose faults do not stop the reading of others."""
    place = f"{error.path}:{error.line}: " if error.line else f"{error.path}: "
    return codes.INVALID_DEFINITION.issue(
        str(error).removeprefix(place), file=error.path, line=error.line, hint=error.hint
    )
