# SPDX-License-Identifier: Apache-2.0
"""The files of a catalog after it has been brought in step with a release.

Component files are ours to change; BuildConfigs and kustomizations are not, so what is to be
different about them stands in the stream file. A definition that goes leaves its reason there.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec

from okd_payload.build.sync.comparison import Comparison, Finding
from okd_payload.build.sync.differences import Kind
from okd_payload.build.sync.file_changes import FileChange, read_text, real_changes
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.writing.component_text import COMPONENTS, write_component
from okd_payload.catalog.writing.defaults import StreamDefaults
from okd_payload.catalog.writing.edit import Edit, edit_yaml


def mend(catalog: Catalog, comparison: Comparison) -> tuple[FileChange, ...]:
    """What the files of ``catalog`` are without the differences that can be mended.

    Raises StorageError, and InvalidDocument for a file that cannot be edited.
    """
    mender = _Mender(catalog, comparison.release)
    for finding in comparison.findings:
        difference = finding.difference
        if difference.is_open and not difference.obstacle:
            mender.mend(finding)
    return tuple(real_changes(mender.changes()))


class _Mender:
    """Collects edits by file; nothing is written."""

    def __init__(self, catalog: Catalog, release: str) -> None:
        self._catalog = catalog
        self._stream = catalog.stream
        self._path = Path(catalog.path)
        self._release = release
        self._reason = f"not in {release}" if release else "not in the release"
        self._edits: defaultdict[Path, list[Edit]] = defaultdict(list)
        self._dropped: set[Path] = set()
        self._new: dict[Path, str] = {}

    def mend(self, finding: Finding) -> None:
        """Remember what it takes to mend ``finding``."""
        component, difference = finding.component, finding.difference
        if component is None:
            if difference.kind is Kind.NEW:
                self._add(finding)
            else:
                self._drop_import(difference.tag)
            return
        match difference.kind:
            case Kind.REMOVED:
                self._drop(component)
            case Kind.RENAMED:
                self._rename(component, difference.tag, is_needed=finding.is_needed)
            case Kind.SOURCE:
                self._change(component, ("source", "git"), difference.after)
            case _:
                self._class(component, {"kind": difference.after, "reason": difference.evidence})

    def changes(self) -> list[FileChange]:
        """Every file that was touched, before and after."""
        changes = [
            FileChange(path=path, before=None, after=text) for path, text in self._new.items()
        ]
        changes += [
            FileChange(path=path, before=read_text(path), after=None) for path in self._dropped
        ]
        for path, edits in self._edits.items():
            if path not in self._dropped:
                before = read_text(path)
                after = edit_yaml(before, edits, path=str(path))
                changes.append(FileChange(path=path, before=before, after=after))
        return changes

    def _add(self, finding: Finding) -> None:
        difference, image = finding.difference, finding.image
        if difference.tag in self._stream.dropped:
            self._say(("dropped", difference.tag))
        if finding.definition is not None:
            self._write(finding.definition, difference.evidence)
        elif image is not None:
            self._say(("imports", difference.tag), {"image": image.pull_spec})

    def _drop_import(self, tag: str) -> None:
        self._say(("imports", tag))
        self._say(("dropped", tag), self._reason)

    def _drop(self, component: Component) -> None:
        name = component.name
        if self._owns(component) and not self._is_named(name):
            self._dropped.add(Path(component.origin.file))
            self._say(("dropped", name), self._reason)
            self._say(("components", name))
            self._say(("git", "exceptions", name))
        else:
            self._say(("components", name, "skip"), self._reason)

    def _rename(self, component: Component, tag: str, *, is_needed: bool) -> None:
        if tag == component.name and self._owns(component):
            self._edits[Path(component.origin.file)].append(Edit(("tag",)))
        else:
            self._change(component, ("tag",), tag)
        if is_needed:
            self._say(("imports", component.tag), {"tag": tag})

    def _class(self, component: Component, value: dict[str, str]) -> None:
        own = self._stream.components.get(component.name)
        if own is not None and own.sharing is not None:
            self._say(("components", component.name, "sharing"), value)
        else:
            self._change(component, ("sharing",), value)

    def _write(self, definition: Definition, evidence: str) -> None:
        stream, name = self._stream, definition.component.name
        defaults = StreamDefaults(
            branch=stream.git.branch,
            exceptions=stream.git.exceptions,
            resources=stream.resources.to_resources(),
            layering=stream.layering,
        )
        comment = (f"New in {self._release}.", evidence) if self._release else (evidence,)
        file = write_component(definition, defaults, comment=comment)
        self._new[self._folder() / f"{name}.yaml"] = file.text

    def _folder(self) -> Path:
        """Where component files are; the stream file gets such a folder when it has none."""
        for source in self._stream.catalog:
            folder = self._path.parent / source.components
            if source.components and folder.is_dir():
                return folder
        sources = [*map(msgspec.to_builtins, self._stream.catalog), {"components": COMPONENTS}]
        if not any(edit.field == ("catalog",) for edit in self._edits[self._path]):
            self._say(("catalog",), sources)
        return self._path.parent / COMPONENTS

    def _change(self, component: Component, field: tuple[str, ...], value: object) -> None:
        """Give ``field`` of ``component`` a value, in its file or else in the stream file."""
        if self._owns(component):
            self._edits[Path(component.origin.file)].append(Edit(field, value))
        else:
            self._say(("components", component.name, *field), value)

    def _say(self, field: tuple[str, ...], value: object = msgspec.UNSET) -> None:
        self._edits[self._path].append(Edit(field, value))

    def _is_named(self, name: str) -> bool:
        """Whether a list of the stream file, which is not edited, needs the component."""
        overlays = any(name in overlay.selector_list for overlay in self._stream.overlays)
        return overlays or any(permit.component == name for permit in self._stream.permits)

    def _owns(self, component: Component) -> bool:
        """Whether ``component`` is defined in a component file of the stream."""
        file = Path(component.origin.file)
        places = [
            self._path.parent / source.components
            for source in self._stream.catalog
            if source.components
        ]
        return any(place in (file, file.parent) for place in places)
