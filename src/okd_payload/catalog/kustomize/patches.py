# SPDX-License-Identifier: Apache-2.0
"""Patches as kustomizations give them: in place or in files, in one of two languages.

A patch that is wrong in itself is an issue and is left out.
"""

from __future__ import annotations

from typing import Any

import msgspec

from okd_payload.catalog.kustomize import codes
from okd_payload.catalog.kustomize.fields import PatchEntry, Target
from okd_payload.catalog.kustomize.files import Files
from okd_payload.catalog.kustomize.findings import Findings
from okd_payload.catalog.kustomize.identity import identity_of
from okd_payload.catalog.kustomize.json_patch import Operation
from okd_payload.catalog.kustomize.kustomization import Kustomization
from okd_payload.catalog.kustomize.resource import PatchKind, PatchPlace
from okd_payload.documents import Document, convert, invalid_field, parse_documents
from okd_payload.errors import InvalidDocument


class Patch(msgspec.Struct, frozen=True):
    """One patch: operations, or a value to merge; and the target, unless it names one object."""

    place: PatchPlace
    target: Target | None
    operations: tuple[Operation, ...] = ()
    merged: Any = None
    options: frozenset[str] = frozenset()


class PatchReader(msgspec.Struct, frozen=True):
    """Reads the patches of one kustomization."""

    kustomization: Kustomization
    files: Files
    findings: Findings

    def first_patches(self) -> list[Patch]:
        """``patchesStrategicMerge`` and ``patches``: what happens before anything else."""
        fields, folder = self.kustomization.fields, self.kustomization.folder
        found = []
        for number, text in enumerate(fields.patches_strategic_merge):
            is_file = "\n" not in text and (folder / text).is_file()
            entry = PatchEntry(path=text) if is_file else PatchEntry(patch=text)
            found += self._read_all(entry, "patches_strategic_merge", number)
        for number, entry in enumerate(fields.patches):
            found += self._read_all(entry, "patches", number)
        return found

    def late_patches(self) -> list[Patch]:
        """``patchesJson6902``, which come when names and labels are what they will be."""
        found = []
        for number, entry in enumerate(self.kustomization.fields.patches_json):
            if entry.target is None or not entry.target.kind or not entry.target.name:
                self.findings.add(
                    codes.INVALID_KUSTOMIZATION,
                    "a target with kind and name is needed",
                    file=self.kustomization.path,
                    line=self.kustomization.line_of("patches_json", number),
                    hint="patches, without Json6902, may have any target",
                )
                continue
            found += self._read_all(entry, "patches_json", number)
        return found

    def _read_all(self, entry: PatchEntry, field: str, number: int) -> list[Patch]:
        """The patches of ``entry``, which may be several when they name their objects."""
        line = self.kustomization.line_of(field, number)
        try:
            documents = self._documents_of(entry, field, number)
            return [_read(document, entry, line if entry.patch else 0) for document in documents]
        except InvalidDocument as error:
            self.findings.add_error(codes.INVALID_KUSTOMIZATION, error)
            return []

    def _documents_of(self, entry: PatchEntry, field: str, number: int) -> list[Document]:
        file, line = self.kustomization.path, self.kustomization.line_of(field, number)
        if bool(entry.path) == bool(entry.patch.strip()):
            raise InvalidDocument("exactly one of path and patch is needed", path=file, line=line)
        if entry.path:
            place = self.kustomization.field(field, number)
            documents = self.files.documents_beside(self.kustomization.document, entry.path, place)
        else:
            documents = _parse(entry.patch, file, line)
        if not documents or (len(documents) > 1 and entry.target):
            count = len(documents) or "no"
            raise InvalidDocument(f"{count} patches for one target", path=file, line=line)
        return documents


def _parse(text: str, file: str, line: int) -> list[Document]:
    try:
        return parse_documents(text.encode(), path=file)
    except InvalidDocument as error:
        raise InvalidDocument(
            f"the patch is wrong in itself: {error.detail}", path=file, line=line + error.line
        ) from error


def _read(document: Document, entry: PatchEntry, line: int) -> Patch:
    """The patch of ``document``; ``line`` is where it stands, 0 when in a file of its own."""
    place = PatchPlace(document.path, line or document.line_of(()), PatchKind.STRATEGIC_MERGE)
    if isinstance(document.value, list):
        place = msgspec.structs.replace(place, kind=PatchKind.JSON)
        if entry.target is None:
            raise InvalidDocument("a JSON patch needs a target", path=place.file, line=place.line)
        try:
            operations = convert(document, tuple[Operation, ...])
        except InvalidDocument as error:
            raise InvalidDocument(
                f"no JSON patch: {error.detail}",
                path=place.file,
                line=error.line + line,
                hint=error.hint,
            ) from error
        if not operations:
            raise InvalidDocument("an empty patch", path=place.file, line=place.line)
        return Patch(place, entry.target, operations=operations)
    identity = identity_of(document.value) if isinstance(document.value, dict) else None
    if identity is None or not identity.kind or not identity.name:
        raise invalid_field(
            Document(document.path, document.value, {(): place.line}),
            (),
            "neither a JSON patch nor an object with kind and name to merge",
        )
    options = frozenset(name for name, wanted in entry.options.items() if wanted)
    return Patch(place, entry.target, merged=document.value, options=options)
