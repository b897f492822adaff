# SPDX-License-Identifier: Apache-2.0
"""What must hold between definitions, and between them and the stream file.

Of two that claim one name or tag the first stays, so that everything else can still be planned;
the other one is an issue. Nothing is raised here and nothing looked up but folders of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from okd_payload.catalog import codes
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.changes import selects
from okd_payload.catalog.component import Component
from okd_payload.catalog.definition import Definition, Import, OtherTag, PulledImage
from okd_payload.catalog.names import Problem, TagImage, external_image, resolve_image
from okd_payload.catalog.stream import Stream
from okd_payload.documents import Document, FieldPath
from okd_payload.errors import nearest_names
from okd_payload.issues import Issue
from okd_payload.source.model import FolderSource

_GLOB_CHARACTERS = frozenset("*?[")


def drop_duplicate_names(definitions: Iterable[Definition]) -> tuple[list[Definition], list[Issue]]:
    """The first definition of each name, sorted by name, and an issue for every other."""
    kept: dict[str, Definition] = {}
    issues = []
    for definition in definitions:
        component = definition.component
        first = kept.setdefault(component.name, definition).component
        if first is not component:
            issues.append(
                codes.DUPLICATE_COMPONENT.issue(
                    f"{component.name} is defined in {first.origin.file} already",
                    component=component.name,
                    file=component.origin.file,
                    line=component.origin.line,
                )
            )
    return [kept[name] for name in sorted(kept)], issues


def drop_duplicate_tags(
    components: Iterable[Component], imports: Iterable[Import]
) -> tuple[list[Component], list[Import], list[Issue]]:
    """Those that are first to claim their tag, components before imports, and the issues."""
    claims: dict[str, Component | Import] = {}
    built, imported, issues = [], [], []
    for component in components:
        if claims.setdefault(component.tag, component) is component:
            built.append(component)
        else:
            issues.append(_duplicate_output(component.tag, claims[component.tag], component))
    for entry in imports:
        if claims.setdefault(entry.name, entry) is entry:
            imported.append(entry)
        else:
            issues.append(_duplicate_output(entry.name, claims[entry.name], entry))
    return built, imported, issues


def check_stream_names(
    document: Document, stream: Stream, components: Sequence[Component]
) -> Iterator[Issue]:
    """Names of components in the stream file that nobody has."""
    known = {component.name: component for component in components}
    named: list[tuple[FieldPath, str]] = [
        *((("git", "exceptions", name), name) for name in stream.git.exceptions),
        *((("components", name), name) for name in stream.components),
        *(
            (("permits", number, "component"), permit.component)
            for number, permit in enumerate(stream.permits)
            if permit.component
        ),
        *(
            (("builders", "images", number, "definition"), image.definition)
            for number, image in enumerate(stream.builders.images)
        ),
    ]
    for number, overlay in enumerate(stream.overlays):
        field: FieldPath = ("overlays", number, "for")
        for selector in overlay.selector_list:
            if "=" not in selector and not _GLOB_CHARACTERS & set(selector):
                named.append((field, selector))
            elif not any(selects(selector, component) for component in components):
                yield codes.UNMATCHED_SELECTOR.issue(
                    f"{selector!r} selects no component",
                    file=document.path,
                    line=document.line_of(field),
                )
    for field, name in named:
        if name not in known:
            yield codes.UNKNOWN_COMPONENT.issue(
                f"there is no component {name!r}",
                file=document.path,
                line=document.line_of(field),
                hint=_offer(name, known),
            )


def check_catalog(catalog: Catalog, document: Document) -> Iterator[Issue]:
    """Names and folders that the finished catalog needs and nobody has."""
    for component in catalog.components:
        source = component.source
        if isinstance(source, FolderSource) and not Path(source.path).is_dir():
            yield codes.MISSING_FOLDER.issue(
                f"there is no folder {source.path}",
                component=component.name,
                file=component.origin.file,
                line=component.origin.line,
            )
    for entry in (*catalog.imports, *catalog.foreign_imports):
        problem = _find_problem(entry, catalog)
        if problem:
            yield problem.issue(file=entry.origin.file, line=entry.origin.line)
    base = catalog.stream.release.base
    if not catalog.stream.release.skip and base not in catalog.tags:
        yield codes.DANGLING_REFERENCE.issue(
            f"releases are made on the tag {base!r}, which nobody makes",
            file=document.path,
            line=document.line_of(("release", "base")),
            hint=_offer(base, catalog.tags) or "define it, or name another tag in release.base",
        )


def _find_problem(entry: Import, catalog: Catalog) -> Problem | None:
    """What is wrong with the image that ``entry`` brings in."""
    seen = {entry.name}
    while isinstance(entry.content, OtherTag):
        name = entry.content.tag
        if name in seen:
            return Problem(codes.DANGLING_REFERENCE, f"{name} is another name of itself only")
        seen.add(name)
        target = catalog.tags.get(name) or catalog.foreign_tags.get(name)
        if not isinstance(target, Import):
            image = resolve_image(name, catalog)
            return None if isinstance(image, TagImage) else image.problem
        entry = target
    if isinstance(entry.content, PulledImage):
        return external_image(entry.content.pull_spec, catalog).problem
    return None


def _duplicate_output(tag: str, first: Component | Import, second: Component | Import) -> Issue:
    place = f"{first.origin.file}:{first.origin.line}"
    how = "built" if isinstance(first, Component) else "imported"
    return codes.DUPLICATE_OUTPUT.issue(
        f"the tag {tag} is {how} by {first.name} already ({place})",
        component=second.name if isinstance(second, Component) else first.name,
        file=second.origin.file,
        line=second.origin.line,
        hint="let the stream file `skip` one of them, or import the tag there with `stub`",
    )


def _offer(name: str, known: Iterable[str]) -> str:
    near = nearest_names(name, known)
    return f"did you mean {' or '.join(near)}?" if near else ""
