# SPDX-License-Identifier: Apache-2.0
"""What the stream file says about definitions, applied to them.

In this order, the later winning: the branch, what counts for all components (only where a
definition is silent), overlays as they are listed, changes by component name. Named values
merge by name, because replacing a whole list loses what only the definition knew.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from okd_payload.catalog.catalog import Skipped
from okd_payload.catalog.component import Argument, Component, Resources
from okd_payload.catalog.component_file import git_url
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.fields import ResourceFields, arguments_of, inputs_of
from okd_payload.catalog.stream import Changes, Git, SourceChange, Stream
from okd_payload.source.model import FolderSource, GitSource, Source

_COMMIT = re.compile(r"[0-9a-f]{40}")


class Adjusted(msgspec.Struct, frozen=True):
    """The components as the stream wants them, and those it leaves out."""

    components: tuple[Component, ...]
    skipped: tuple[Skipped, ...]


def apply_stream(definitions: Iterable[Definition], stream: Stream, *, folder: Path) -> Adjusted:
    """``definitions`` with everything applied that ``stream`` says; paths are from ``folder``."""
    components, skipped = [], []
    for definition in definitions:
        component = _complete(_follow_branch(definition, stream.git), stream)
        reason = ""
        for changes in _changes_for(component, stream):
            component = _change(component, changes, folder)
            reason = changes.skip or reason
        if reason:
            skipped.append(skip(component, reason))
        else:
            components.append(component)
    return Adjusted(tuple(components), tuple(skipped))


def skip(component: Component, reason: str) -> Skipped:
    """``component``, left out for ``reason``."""
    return Skipped(name=component.name, tag=component.tag, reason=reason, origin=component.origin)


def selects(selector: str, component: Component) -> bool:
    """Whether ``selector`` (a name, a glob of names or LABEL=VALUE) means ``component``."""
    label, equals, value = selector.partition("=")
    if equals:
        return Argument(label, value) in component.selector_labels
    return fnmatch.fnmatchcase(component.name, selector)


def _changes_for(component: Component, stream: Stream) -> list[Changes]:
    chosen: list[Changes] = [
        overlay
        for overlay in stream.overlays
        if any(selects(selector, component) for selector in overlay.selector_list)
    ]
    own = stream.components.get(component.name)
    return [*chosen, own] if own else chosen


def _follow_branch(definition: Definition, git: Git) -> Component:
    component = definition.component
    source = component.source
    if not isinstance(source, GitSource):
        return component
    kept = definition.pinned or bool(_COMMIT.fullmatch(source.ref))
    ref: str | None = None if kept else git.branch or None
    if component.name in git.exceptions:
        ref = git.exceptions[component.name]
    return component if ref is None else replace(component, source=replace(source, ref=ref))


def _complete(component: Component, stream: Stream) -> Component:
    """``component`` with what the stream says for all, where it is silent itself."""
    named = {variable.name for variable in component.environment}
    common = {name: value for name, value in stream.environment.items() if name not in named}
    return replace(
        component,
        offered_arguments=arguments_of(stream.build_arguments),
        environment=arguments_of(common) + component.environment,
        resources=component.resources
        if component.resources != Resources()
        else stream.resources.to_resources(),
    )


def _change(component: Component, changes: Changes, folder: Path) -> Component:
    changed = replace(
        component,
        source=_change_source(component.source, changes.source, folder),
        patches=str((folder / changes.patches).resolve()) if changes.patches else component.patches,
        context_directory=changes.context or component.context_directory,
        base=changes.base or component.base,
        inputs=component.inputs + inputs_of(changes.inputs),
        build_arguments=_merge(component.build_arguments, changes.build_arguments),
        environment=_merge(component.environment, changes.environment),
        labels=_merge(component.labels, changes.labels),
        layering=changes.layering or component.layering,
    )
    if changes.tag:
        changed = replace(changed, tag=changes.tag)
    if changes.sharing:
        sharing = changes.sharing
        changed = replace(changed, sharing=sharing.kind, sharing_reason=sharing.reason)
    if changes.resources != ResourceFields():
        changed = replace(changed, resources=changes.resources.to_resources())
    if changes.dockerfile:
        changed = replace(changed, dockerfile_path=changes.dockerfile, dockerfile=None)
    if changes.inline_dockerfile:
        changed = replace(changed, dockerfile=changes.inline_dockerfile)
    return changed


def _change_source(source: Source | None, change: SourceChange, folder: Path) -> Source | None:
    if change.folder:
        return FolderSource(path=str((folder / change.folder).resolve()))
    ref = change.ref or (source.ref if isinstance(source, GitSource) else "")
    if change.git:
        return GitSource(url=git_url(change.git, folder), ref=ref)
    return replace(source, ref=ref) if isinstance(source, GitSource) else source


def _merge(values: tuple[Argument, ...], changes: Mapping[str, str | None]) -> tuple[Argument, ...]:
    kept = tuple(value for value in values if value.name not in changes)
    return kept + tuple(
        Argument(name, value) for name, value in changes.items() if value is not None
    )
