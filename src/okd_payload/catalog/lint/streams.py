# SPDX-License-Identifier: Apache-2.0
"""The view of a stream file: its catalog, and what the catalog does not keep of BuildConfigs.

A catalog is all that a stream needs to be built. For the line of a field, and for what overlays
have thrown away, the objects that it was read from are looked at once more. Pipelines beside
them are not: a stream is built in the order that its plan finds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component
from okd_payload.catalog.fields import inputs_of
from okd_payload.catalog.kustomize import RenderedObject, render_kustomization
from okd_payload.catalog.kustomize.kustomization import FILE_NAMES
from okd_payload.catalog.lint.files import Files, files_below
from okd_payload.catalog.lint.kustomizations import follow_kustomizations, selected_labels
from okd_payload.catalog.lint.subject import Definition, View
from okd_payload.catalog.lint.views import ReadViews, ViewReader
from okd_payload.catalog.load import load_catalog

_BUILD_CONFIG = "BuildConfig"


def read_stream(path: Path, files: Files) -> ReadViews:
    """The view of the stream file at ``path``. Raises InvalidDocument."""
    catalog = load_catalog(path)
    stream = catalog.stream
    folders = _OpenShiftFolders(catalog, files)
    added = {item for overlay in stream.overlays for item in inputs_of(overlay.inputs)}
    definitions = []
    for component in catalog.components:
        own = folders.find(component)
        kept = tuple(item for item in component.inputs if item not in added)
        definitions.append(
            Definition(
                component=component,
                written=own.written if own else msgspec.structs.replace(component, inputs=kept),
                document=own.document if own else None,
                rendered=own.rendered if own else None,
            )
        )
    labels = {
        selector.partition("=")[0]
        for overlay in stream.overlays
        for selector in overlay.selector_list
        if "=" in selector
    }
    view = View(
        name=stream.name,
        definitions=tuple(definitions),
        imports=(*catalog.imports, *catalog.foreign_imports),
        selected_labels=folders.selected_labels | labels,
        catalog=catalog,
    )
    return ReadViews(views=(view,), definitions=view.definitions, issues=catalog.issues)


class _OpenShiftFolders:
    """The BuildConfigs that a catalog was read from, for what it does not keep of them."""

    def __init__(self, catalog: Catalog, files: Files) -> None:
        reader = ViewReader(files)
        self._definitions: dict[tuple[str, str], Definition] = {}
        self.selected_labels: frozenset[str] = frozenset()
        for source in catalog.stream.catalog:
            folder = Path(catalog.path).parent / source.path
            if source.kustomization:
                self._add(reader, render_kustomization(folder).objects)
                self._follow(folder, files)
            elif source.build_configs:
                found = [each for file in files_below(folder) for each in files.read(file)]
                loose = [each for each in found if isinstance(each.value, dict)]
                self._add(reader, map(RenderedObject, loose))

    def find(self, component: Component) -> Definition | None:
        """The BuildConfig that ``component`` was read from; None for one of our own form."""
        return self._definitions.get((os.path.normpath(component.origin.file), component.name))

    def _add(self, reader: ViewReader, objects: Iterable[RenderedObject]) -> None:
        builds = [each for each in objects if each.document.value.get("kind") == _BUILD_CONFIG]
        for each in reader.read("", builds).definitions:
            file = os.path.normpath(each.component.origin.file)
            self._definitions[file, each.name] = each

    def _follow(self, folder: Path, files: Files) -> None:
        for name in FILE_NAMES:
            if (folder / name).is_file():
                files.read(folder / name)
        written = follow_kustomizations(files).below(folder)
        self.selected_labels |= {label for each in written for label in selected_labels(each)}
