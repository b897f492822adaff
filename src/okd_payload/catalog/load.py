# SPDX-License-Identifier: Apache-2.0
"""From a stream file to a catalog.

An error in the stream file itself stops; whatever is wrong with definitions, or between them
and the stream file, is an issue, and all issues come at once. Nothing is fetched or resolved.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.catalog import codes
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.changes import apply_stream, skip
from okd_payload.catalog.checks import (
    check_catalog,
    check_stream_names,
    drop_duplicate_names,
    drop_duplicate_tags,
)
from okd_payload.catalog.component import Origin
from okd_payload.catalog.definition import (
    Definitions,
    Import,
    OtherTag,
    PulledImage,
    RootFileSystem,
)
from okd_payload.catalog.parameters import StreamParameters, apply_parameters
from okd_payload.catalog.release_name import check_pattern
from okd_payload.catalog.sources import (
    read_component_files,
    read_kustomization_objects,
    read_openshift_files,
)
from okd_payload.catalog.stream import ImportEntry, Stream
from okd_payload.documents import Document, convert, invalid_field, read_documents
from okd_payload.errors import InputError, InvalidDocument

STREAM_FILE = "stream.yaml"
_AS_WRITTEN = StreamParameters()
_WHERE = "name a stream file, or the folder that it is in"


def load_catalog(path: Path, *, parameters: StreamParameters = _AS_WRITTEN) -> Catalog:
    """The catalog of the stream file at ``path``, or of ``stream.yaml`` in that folder.

    Raises InvalidDocument when the stream file is wrong in itself, and InputError when
    ``parameters`` are.
    """
    document = _read_stream_file(path / STREAM_FILE if path.is_dir() else path)
    stream = apply_parameters(convert(document, Stream), parameters)
    _check_release(document, stream)
    folder = Path(document.path).parent
    own = _own_imports(document, stream, folder)
    found = Definitions()
    for number in range(len(stream.catalog)):
        found += _read_source(document, stream, number)
    catalog = _assemble(document, stream, found, own)
    late = check_catalog(catalog, document)
    return msgspec.structs.replace(catalog, issues=(*catalog.issues, *late))


def load_stream(path: Path) -> Stream:
    """What the stream file at ``path``, or in that folder, says; its catalog is not read.

    Raises InvalidDocument.
    """
    return convert(_read_stream_file(path / STREAM_FILE if path.is_dir() else path), Stream)


def load_definitions(path: Path) -> Definitions:
    """What the catalog of the stream file at ``path`` defines, before that file changes any of it.

    Raises InvalidDocument when the stream file is wrong in itself.
    """
    document = _read_stream_file(path / STREAM_FILE if path.is_dir() else path)
    stream = convert(document, Stream)
    parts = (_read_source(document, stream, number) for number in range(len(stream.catalog)))
    return sum(parts, start=Definitions())


def _assemble(document: Document, stream: Stream, found: Definitions, own: list[Import]) -> Catalog:
    """The catalog of what was ``found``; imports of the stream file win over others."""
    definitions, issues = drop_duplicate_names(found.definitions)
    issues += check_stream_names(document, stream, [each.component for each in definitions])
    adjusted = apply_stream(definitions, stream, folder=Path(document.path).parent)
    stubs = {entry.name: entry.stub for entry in own if entry.stub}
    built = [each for each in adjusted.components if each.tag not in stubs]
    replaced = [skip(each, stubs[each.tag]) for each in adjusted.components if each.tag in stubs]
    known = {entry.name for entry in own}
    others = [entry for entry in found.imports if entry.name not in known]
    built, imports, duplicates = drop_duplicate_tags(built, [*own, *others])
    imports.sort(key=lambda entry: entry.name)
    return Catalog(
        path=document.path,
        stream=stream,
        components=tuple(built),
        imports=tuple(entry for entry in imports if not entry.is_foreign),
        foreign_imports=tuple(entry for entry in imports if entry.is_foreign),
        skipped=tuple(sorted((*adjusted.skipped, *replaced), key=lambda each: each.name)),
        issues=(*found.issues, *issues, *duplicates),
    )


def _read_stream_file(path: Path) -> Document:
    if not path.exists():
        raise InvalidDocument("No such file or directory", path=str(path), hint=_WHERE)
    documents = read_documents(path)
    if not documents:
        raise InvalidDocument("the file is empty", path=str(path), hint=_WHERE)
    if len(documents) != 1:
        raise InvalidDocument(
            f"{len(documents)} YAML documents instead of one",
            path=str(path),
            hint="make a file of its own of each stream",
        )
    return documents[0]


def _check_release(document: Document, stream: Stream) -> None:
    release = stream.release
    try:
        check_pattern(release.name, stream=stream.name, version=release.version)
    except InputError as error:
        raise invalid_field(
            document, ("release", "name"), error.message, hint=error.hint
        ) from error


def _read_source(document: Document, stream: Stream, number: int) -> Definitions:
    source = stream.catalog[number]
    path = Path(document.path).parent / source.path
    try:
        if source.components:
            field = "components"
            found = read_component_files(path, layering=stream.layering)
        elif source.build_configs:
            field = "buildConfigs"
            found = read_openshift_files(path, image_stream=source.image_stream)
        else:
            field = "kustomization"
            found = read_kustomization_objects(path, image_stream=source.image_stream)
    except OSError as error:
        place = ("catalog", number, field)
        raise invalid_field(document, place, error.strerror or str(error)) from error
    if found == Definitions():
        line = document.line_of(("catalog", number))
        issue = codes.EMPTY_CATALOG.issue(
            f"{path} makes no BuildConfigs and no ImageStreams"
            if source.kustomization
            else f"{path} has no definitions: no file ends in .yaml or .yml",
            file=document.path,
            line=line,
        )
        return Definitions(issues=(issue,))
    return found


def _own_imports(document: Document, stream: Stream, folder: Path) -> list[Import]:
    """The imports that the stream file itself names."""
    found = []
    for name, entry in stream.imports.items():
        if ":" in name and entry.command:
            raise invalid_field(
                document,
                ("imports", name),
                "the image of a command needs a tag of this stream",
                hint=f"call it {name.partition(':')[2]} and let `{name}` be a `tag` of it",
            )
        origin = Origin(document.path, document.line_of(("imports", name)))
        content = _content_of(entry, folder)
        found.append(Import(name=name, content=content, origin=origin, stub=entry.stub))
    return found


def _content_of(entry: ImportEntry, folder: Path) -> PulledImage | OtherTag | RootFileSystem:
    if entry.image:
        return PulledImage(entry.image)
    if entry.tag:
        return OtherTag(entry.tag)
    program, *arguments = entry.command
    if "/" in program:
        program = str((folder / program).absolute())
    return RootFileSystem((program, *arguments), str(folder.absolute()))
