# SPDX-License-Identifier: Apache-2.0
"""Views: definitions, imports and pipelines as they come out of overlays.

Each kustomization that no other one includes makes a view. Without any kustomization, all
objects together are one. What overlays add to an object, its file does not say; so every
definition is kept both ways.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.catalog import codes
from okd_payload.catalog.buildconfig import read_build_config
from okd_payload.catalog.component import Origin
from okd_payload.catalog.definition import Import, OtherTag, PulledImage
from okd_payload.catalog.image_stream_file import read_image_stream
from okd_payload.catalog.kustomize import RenderedObject, render_kustomization
from okd_payload.catalog.lint.files import Files
from okd_payload.catalog.lint.kustomizations import Kustomizations, selected_labels
from okd_payload.catalog.lint.subject import Definition, View
from okd_payload.catalog.lint.tekton import GROUP, Pipeline, Task, read_pipeline, read_task
from okd_payload.catalog.openshift_names import DOCKER_IMAGE
from okd_payload.catalog.sources import issue_of
from okd_payload.documents import Document
from okd_payload.errors import InvalidDocument
from okd_payload.issues import Issue

_OF_CLUSTERS = frozenset({codes.FOREIGN_OUTPUT.code, codes.IGNORED_FIELD.code})
"""Kinds of issues that say what other tools make of a definition, not what is wrong with it."""


class ReadViews(msgspec.Struct, frozen=True, kw_only=True):
    """Views, the definitions as their files say them, and what was found on the way."""

    views: tuple[View, ...] = ()
    definitions: tuple[Definition, ...] = ()
    issues: tuple[Issue, ...] = ()


def read_folders(
    files: Files, folders: Sequence[Path], kustomizations: Kustomizations
) -> ReadViews:
    """The views of ``folders``: of their kustomizations, or one of all objects without any."""
    top = Path(os.path.commonpath([folder.resolve() for folder in folders]))
    issues: list[Issue] = []
    objects: dict[str, tuple[RenderedObject, ...]] = {}
    labels: dict[str, frozenset[str]] = {}
    for root in kustomizations.roots:
        rendering = render_kustomization(root)
        issues += rendering.issues
        name = _name_of(root, top)
        objects[name] = rendering.objects
        written = kustomizations.below(root)
        labels[name] = frozenset(label for each in written for label in selected_labels(each))
    if not objects:
        loose = (each for each in files.documents if _is_object(each.value))
        objects[_name_of(top, top)] = tuple(map(RenderedObject, loose))
    reader = ViewReader(files)
    views = [
        msgspec.structs.replace(
            reader.read(name, found), selected_labels=labels.get(name, frozenset())
        )
        for name, found in objects.items()
    ]
    return ReadViews(
        views=tuple(view for view in views if view.definitions or view.pipelines),
        definitions=reader.written,
        issues=(*issues, *reader.issues),
    )


class ViewReader:
    """Reads the objects of views; what their files say is read once for all of them."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._all: dict[tuple[str, int], Definition | None] = {}
        self.issues: list[Issue] = []

    @property
    def written(self) -> tuple[Definition, ...]:
        """The definitions as their files say them."""
        return tuple(each for each in self._all.values() if each is not None)

    def read(self, name: str, objects: Iterable[RenderedObject]) -> View:
        """The view called ``name`` of ``objects``."""
        definitions: list[Definition] = []
        imports: list[Import] = []
        pipelines: list[Pipeline] = []
        tasks: list[Task] = []
        for each in objects:
            self._files.read(Path(each.document.path))  # for checks of the file itself
            value = each.document.value
            try:
                match value.get("kind"), str(value.get("apiVersion")).partition("/")[0]:
                    case "BuildConfig", _:
                        definitions += self._definition(each)
                    case "ImageStream", _:
                        imports += self._imports(each)
                    case "Pipeline", group if group == GROUP:
                        pipelines.append(read_pipeline(each.document))
                    case "Task" | "ClusterTask", group if group == GROUP:
                        tasks.append(read_task(each.document))
            except InvalidDocument as error:
                self.issues.append(issue_of(error))
        return View(
            name=name,
            definitions=tuple(definitions),
            imports=tuple(imports),
            pipelines=tuple(pipelines),
            tasks=tuple(tasks),
        )

    def _definition(self, each: RenderedObject) -> Iterator[Definition]:
        source = self._files.of_object(each.document)
        key = (source.path, source.line_of(()))
        if key not in self._all:
            self._all[key] = self._read_written(source)
        written = self._all[key]
        if written is None:
            return
        if each.document is source:
            yield written
            return
        read = read_build_config(each.document, image_stream=written.stream)
        known = {(issue.code, issue.message) for issue in self.issues}
        self.issues += [
            issue
            for issue in read.issues
            if issue.code not in _OF_CLUSTERS and (issue.code, issue.message) not in known
        ]
        for definition in read.definitions:
            yield Definition(
                component=msgspec.structs.replace(
                    definition.component, origin=written.component.origin
                ),
                written=written.component,
                stream=written.stream,
                document=source,
                pulled=frozenset(_pulled(each.document.value)),
                rendered=each,
            )

    def _read_written(self, source: Document) -> Definition | None:
        stream = _output_stream(source.value)
        read = read_build_config(source, image_stream=stream)
        self.issues += [issue for issue in read.issues if issue.code not in _OF_CLUSTERS]
        for definition in read.definitions:
            component = definition.component
            return Definition(
                component=component,
                written=component,
                stream=stream,
                document=source,
                pulled=frozenset(_pulled(source.value)),
            )
        return None

    def _imports(self, each: RenderedObject) -> Iterator[Import]:
        metadata = each.document.value.get("metadata")
        name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
        read = read_image_stream(each.document, image_stream=name)
        written = read_image_stream(self._files.of_object(each.document), image_stream=name)
        known = {entry.name: entry.content for entry in written.imports}
        for entry in read.imports:
            content = entry.content
            if isinstance(content, OtherTag) and ":" not in content.tag:
                content = OtherTag(f"{name}:{content.tag}")
            origin = entry.origin
            if known.get(entry.name) != entry.content:
                origin = _patched_at(each, entry) or origin
            yield Import(name=f"{name}:{entry.name}", content=content, origin=origin)


def _patched_at(each: RenderedObject, entry: Import) -> Origin | None:
    """The line of the patch that gives ``entry`` its content; None when none says it."""
    is_pulled = isinstance(entry.content, PulledImage)
    wanted = entry.content.pull_spec if isinstance(entry.content, PulledImage) else entry.name
    for place in reversed(each.patches):
        lines = Path(place.file).read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines[place.line - 1 :], place.line):
            words = line.replace("'", " ").replace('"', " ").split()
            if wanted in words and (is_pulled or "name:" in words):
                return Origin(place.file, number)
    return None


def _output_stream(value: Any) -> str:
    """The image stream that a BuildConfig pushes to; empty when it says none."""
    output = value.get("spec", {}).get("output") if isinstance(value.get("spec"), dict) else None
    target = output.get("to") if isinstance(output, dict) else None
    name = target.get("name") if isinstance(target, dict) else None
    return name.partition(":")[0] if isinstance(name, str) else ""


def _pulled(value: Any) -> Iterator[str]:
    """The names of all images that ``value`` says are in registries."""
    if isinstance(value, dict):
        if value.get("kind") == DOCKER_IMAGE and isinstance(value.get("name"), str):
            yield value["name"]
        for item in value.values():
            yield from _pulled(item)
    elif isinstance(value, list):
        for item in value:
            yield from _pulled(item)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("kind"), str)


def _name_of(folder: Path, top: Path) -> str:
    name = os.path.relpath(folder.resolve(), top)
    return folder.resolve().name if name == os.curdir else name
