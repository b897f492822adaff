# SPDX-License-Identifier: Apache-2.0
"""What is checked: a release with every file read once, and the facts that many checks ask for.

Checks are functions of a ``Subject`` that return issues. None of them reads YAML, looks anything
up or knows of another check, so each can be tried alone, and the list of them can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from okd_payload.imagestream.openshift import RawImageStream, TagReference
from okd_payload.issues import Issue, IssueCode
from okd_payload.release.cluster.annotations import read_annotations
from okd_payload.release.conditions import Conditions, conditions_of
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import ReleaseContent
from okd_payload.release.metadata import ReleaseMetadata
from okd_payload.release.naming import run_level_of
from okd_payload.release.objects import ObjectKey, Problem, read_objects


class CheckedObject(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One object of the payload, and where it stands."""

    file: str
    line: int
    key: ObjectKey
    value: dict[str, Any]

    @cached_property
    def annotations(self) -> Mapping[str, str] | None:
        """The annotations as the cluster sees them; None when there are, and it cannot."""
        found = read_annotations(self.value)
        return {} if found is None and self.written_annotations is None else found

    @property
    def written_annotations(self) -> Any:
        """Whatever stands where annotations belong."""
        metadata = self.value.get("metadata")
        return metadata.get("annotations") if isinstance(metadata, dict) else None

    @cached_property
    def conditions(self) -> Conditions:
        """On which clusters it is applied."""
        return conditions_of(self.value)

    @property
    def is_applied(self) -> bool:
        """Whether there is a cluster profile in which it is applied."""
        return bool(self.annotations) and bool(self.conditions.profiles)

    @property
    def component(self) -> str:
        """The component that the file belongs to, by its name; empty when that says none."""
        placed = run_level_of(self.file)
        return placed.component if placed else ""

    @property
    def api_version(self) -> str:
        """Its API group and version."""
        return str(self.value.get("apiVersion") or "")

    def issue(self, code: IssueCode, message: str, *, hint: str = "") -> Issue:
        """An issue of this object; the message begins with its name."""
        return code.issue(f"{self.key} {message}", file=self.file, line=self.line, hint=hint)


class CheckedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest file, read."""

    name: str
    content: bytes
    objects: tuple[CheckedObject, ...] = ()
    problems: tuple[Problem, ...] = ()


class Subject(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A release to be checked."""

    content: ReleaseContent
    files: tuple[CheckedFile, ...] = ()
    references: RawImageStream | None = None
    """None when the file is absent or unreadable, which is an issue of its own."""
    metadata: ReleaseMetadata | None = None

    @property
    def tags(self) -> tuple[TagReference, ...]:
        """The images of the release."""
        return self.references.spec.tags if self.references else ()

    @cached_property
    def pull_specs(self) -> frozenset[str]:
        """The pull specs of the images."""
        return frozenset(filter(None, map(pull_spec_of, self.tags)))

    @cached_property
    def objects(self) -> tuple[CheckedObject, ...]:
        """All objects, in the order in which the cluster reads them."""
        return tuple(item for file in self.files for item in file.objects)

    def of_kind(self, kind: str, group: str = "") -> Iterator[CheckedObject]:
        """The objects of one kind."""
        for item in self.objects:
            if item.key.kind == kind and item.key.group == group:
                yield item


Check = Callable[[Subject], Iterable[Issue]]


def read_files(manifests: Mapping[str, bytes]) -> tuple[CheckedFile, ...]:
    """Every file of ``manifests``, each read once."""
    return tuple(_read_file(name, content) for name, content in manifests.items())


def _read_file(name: str, content: bytes) -> CheckedFile:
    read = read_objects(content)
    return CheckedFile(
        name=name,
        content=content,
        objects=tuple(
            CheckedObject(file=name, line=item.line, key=item.key, value=item.value)
            for item in read.objects
        ),
        problems=read.problems,
    )
