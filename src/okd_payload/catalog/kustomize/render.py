# SPDX-License-Identifier: Apache-2.0
"""From the folder of a kustomization to its objects.

A folder is rendered from the inside out: its resources, then its components, which change what
was collected before them, then its own changes in a fixed order. What cannot be read is an
issue and is left out; everything else is rendered nevertheless, so that all problems are seen
at once and a reader may decide to go on without the broken part.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from okd_payload.catalog.kustomize import codes
from okd_payload.catalog.kustomize.fields import COMPONENT, KUSTOMIZATION, LabelSet
from okd_payload.catalog.kustomize.files import Files
from okd_payload.catalog.kustomize.findings import Findings
from okd_payload.catalog.kustomize.images import change_images
from okd_payload.catalog.kustomize.kustomization import (
    FILE_NAMES,
    Kustomization,
    find_kustomization,
    read_kustomization,
)
from okd_payload.catalog.kustomize.labels import add_annotations, add_labels
from okd_payload.catalog.kustomize.names import add_prefix, add_suffix
from okd_payload.catalog.kustomize.namespaces import set_namespace
from okd_payload.catalog.kustomize.objects import objects_in, resource_of
from okd_payload.catalog.kustomize.order import in_order
from okd_payload.catalog.kustomize.patches import PatchReader
from okd_payload.catalog.kustomize.patching import apply_patch
from okd_payload.catalog.kustomize.references import follow_names
from okd_payload.catalog.kustomize.replacements import apply_replacements
from okd_payload.catalog.kustomize.resource import Rendering, Resource
from okd_payload.errors import InvalidDocument
from okd_payload.issues import IssueCode, Severity

_REMOTE = re.compile(
    r"""  [a-z][a-z0-9+.-]*://                       # https://, ssh://, file://
        | git::
        | [A-Za-z0-9._-]+@[A-Za-z0-9.-]+:           # git@host:repository
        | (?:www\.)?(?:github|gitlab|bitbucket)\.[a-z]+/
        | .*\?(?:ref|version|submodules|timeout)=
    """,
    re.VERBOSE,
)
_LOCAL_CONFIGURATION = "config.kubernetes.io/local-config"


class _Mention(msgspec.Struct, frozen=True):
    """A file or folder as a kustomization names it, and where it does."""

    name: str
    folder: Path
    file: str
    line: int = 0

    @property
    def path(self) -> Path:
        """What the name means when it is a path."""
        return Path(os.path.normpath(self.folder / self.name))


def render_kustomization(path: Path) -> Rendering:
    """The objects of the kustomization in the folder at ``path``, and all that is wrong."""
    renderer = _Renderer()
    folder = Path(os.path.normpath(path))
    root = renderer.read(_Mention(str(folder), Path(), str(folder)))
    if root is None:
        return Rendering(issues=renderer.findings.issues)
    resources = renderer.collect(root, [], (folder.resolve(),))
    resources = follow_names(resources, renderer.findings)
    kept = [each for each in resources if not _is_local(each)]
    ordered = in_order(kept, root.fields.sort_options)
    return Rendering(tuple(each.finished() for each in ordered), renderer.findings.issues)


def require_complete(rendering: Rendering) -> Rendering:
    """``rendering`` itself. Raises InvalidDocument when errors left something out of it."""
    errors = [issue for issue in rendering.issues if issue.severity is Severity.ERROR]
    if not errors:
        return rendering
    first, *more = errors
    message = f"{first.message} (and {len(more)} more)" if more else first.message
    raise InvalidDocument(message, path=first.file, line=first.line, hint=first.hint)


class _Renderer:
    """One rendering: the files it read, and what it found."""

    def __init__(self) -> None:
        self.findings = Findings()
        self._files = Files()

    def read(self, mention: _Mention) -> Kustomization | None:
        """The kustomization of a folder, None after an issue said why there is none."""
        folder = mention.path
        try:
            path = find_kustomization(folder)
            if path is not None:
                return read_kustomization(self._files.documents(path), path, self.findings)
        except InvalidDocument as error:
            self.findings.add_error(codes.INVALID_KUSTOMIZATION, error)
            return None
        what = "has no kustomization" if folder.is_dir() else "is not there"
        self._add(
            codes.MISSING_RESOURCE,
            f"{folder} {what}",
            mention,
            hint=f"a folder is rendered by its {', '.join(FILE_NAMES[:2])} or {FILE_NAMES[2]}",
        )
        return None

    def collect(
        self, kustomization: Kustomization, given: list[Resource], above: tuple[Path, ...]
    ) -> list[Resource]:
        """``given`` and the objects of ``kustomization``, with its changes made.

        ``given`` is what a component changes; ``above`` are the folders that lead here.
        """
        fields = kustomization.fields
        named = (
            each
            for field in ("resources", "bases")
            for mention in _mentions(kustomization, field)
            for each in self._objects_of(mention, above)
        )
        resources = self._joined(given, named)
        for mention in _mentions(kustomization, "components"):
            below = self._enter(mention, above, kinds=(COMPONENT,))
            if below:
                resources = self.collect(below, resources, (*above, mention.path.resolve()))
        resources = self._named(kustomization, resources)
        for labels in (
            *fields.labels,
            LabelSet(pairs=fields.common_labels, include_selectors=True),
        ):
            if labels.pairs:
                resources = [add_labels(each, labels) for each in resources]
        if fields.common_annotations:
            resources = [add_annotations(each, fields.common_annotations) for each in resources]
        for patch in PatchReader(kustomization, self._files, self.findings).late_patches():
            resources = apply_patch(resources, patch, self.findings)
        for image in (*fields.images, *fields.image_tags):
            resources = [change_images(each, image) for each in resources]
        resources = apply_replacements(resources, kustomization, self._files, self.findings)
        return self._joined([], resources)

    def _named(self, kustomization: Kustomization, resources: list[Resource]) -> list[Resource]:
        """``resources`` patched, and then in the namespace and with the names that are wanted."""
        fields = kustomization.fields
        for patch in PatchReader(kustomization, self._files, self.findings).first_patches():
            resources = apply_patch(resources, patch, self.findings)
        if fields.namespace:
            resources = [set_namespace(each, fields.namespace) for each in resources]
        if fields.name_prefix:
            resources = [add_prefix(each, fields.name_prefix) for each in resources]
        if fields.name_suffix:
            resources = [add_suffix(each, fields.name_suffix) for each in resources]
        return self._joined([], resources)

    def _objects_of(self, mention: _Mention, above: tuple[Path, ...]) -> list[Resource]:
        """The objects of one resource: a file, or the folder of another kustomization."""
        path = mention.path
        if not path.is_file():
            below = self._enter(mention, above, kinds=(KUSTOMIZATION,))
            return self.collect(below, [], (*above, path.resolve())) if below else []
        if path.resolve().is_relative_to(mention.folder.resolve()):
            return self._objects_in(path)
        self._add(
            codes.UNSUPPORTED_KUSTOMIZATION,
            f"{mention.name} is a file outside the folder of the kustomization",
            mention,
            hint="put a kustomization beside it and name its folder, as kustomize wants it",
        )
        return []

    def _objects_in(self, path: Path) -> list[Resource]:
        try:
            documents = self._files.documents(path)
        except InvalidDocument as error:
            self.findings.add_error(codes.INVALID_OBJECT, error)
            return []
        found: list[Resource] = []
        for document in documents:
            try:
                found += map(resource_of, objects_in(document))
            except InvalidDocument as error:
                self.findings.add_error(codes.INVALID_OBJECT, error)
        return found

    def _enter(
        self, mention: _Mention, above: tuple[Path, ...], *, kinds: tuple[str, ...]
    ) -> Kustomization | None:
        """The kustomization of another folder, None after an issue said why not."""
        path = mention.path
        if _REMOTE.match(mention.name) and not path.exists():
            self._add(
                codes.UNSUPPORTED_KUSTOMIZATION,
                f"{mention.name} is a remote resource",
                mention,
                hint="nothing is fetched: clone it and name the folder",
            )
            return None
        if path.resolve() in above:
            circle = " -> ".join(map(str, (*above, path.resolve())))
            message = f"the kustomizations need each other: {circle}"
            self._add(codes.KUSTOMIZATION_CYCLE, message, mention)
            return None
        below = self.read(mention)
        if below is not None and below.fields.kind not in kinds:
            self._add(
                codes.INVALID_KUSTOMIZATION,
                f"{path} is a {below.fields.kind}",
                mention,
                hint="components are listed in components, everything else in resources",
            )
            return None
        return below

    def _joined(self, resources: list[Resource], more: Iterable[Resource]) -> list[Resource]:
        """``resources`` and ``more``; of two that are one object the first stays."""
        joined = list(resources)
        known = {_key(each): each for each in resources}
        for resource in more:
            first = known.setdefault(_key(resource), resource)
            if first is resource:
                joined.append(resource)
                continue
            self.findings.add(
                codes.OBJECT_RENDERED_TWICE,
                f"{resource.identity} is there twice, here and in {first.source.path}",
                file=resource.source.path,
                line=resource.source.line_of(()),
            )
        return joined

    def _add(self, code: IssueCode, message: str, mention: _Mention, *, hint: str = "") -> None:
        self.findings.add(code, message, file=mention.file, line=mention.line, hint=hint)


def _mentions(kustomization: Kustomization, field: str) -> Iterator[_Mention]:
    """What the ``field`` of a kustomization names."""
    for number, name in enumerate(getattr(kustomization.fields, field)):
        line = kustomization.line_of(field, number)
        yield _Mention(name, kustomization.folder, kustomization.path, line)


def _key(resource: Resource) -> tuple[str, str, str, str]:
    identity = resource.identity
    return identity.api_version, identity.kind, identity.effective_namespace, identity.name


def _is_local(resource: Resource) -> bool:
    """Whether the object is configuration for tools, which no cluster gets."""
    annotations = resource.value.get("metadata", {}).get("annotations")
    return isinstance(annotations, dict) and annotations.get(_LOCAL_CONFIGURATION) == "true"
