# SPDX-License-Identifier: Apache-2.0
"""Kustomization files: found in a folder, read whole, and what is refused in them said at once.

A field that is wrong or refused is an issue and left out, and reading goes on without it: who mends
a kustomization wants to hear of everything in one run. Only a file that is no kustomization at all
is an error.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.catalog.kustomize import codes
from okd_payload.catalog.kustomize.fields import (
    API_VERSIONS,
    REFUSED,
    REFUSED_BELOW,
    KustomizationFields,
)
from okd_payload.catalog.kustomize.findings import Findings
from okd_payload.catalog.plain_values import without_nulls
from okd_payload.documents import Document, FieldPath, convert, invalid_field
from okd_payload.errors import InvalidDocument, nearest_names

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(KustomizationFields)}


class Kustomization(msgspec.Struct, frozen=True):
    """A kustomization file with its document, for the lines of what it says."""

    document: Document
    fields: KustomizationFields

    @property
    def path(self) -> str:
        """The file."""
        return self.document.path

    @property
    def folder(self) -> Path:
        """What all its paths are relative to."""
        return Path(self.document.path).parent

    def field(self, name: str, number: int) -> FieldPath:
        """Item ``number`` of a field, of which ``name`` is what the struct calls it."""
        return _NAMES[name], number

    def line_of(self, name: str, number: int) -> int:
        """The line of that item."""
        return self.document.line_of(self.field(name, number))


def find_kustomization(folder: Path) -> Path | None:
    """The kustomization file of ``folder``, None when it has none.

    Raises InvalidDocument when it has several.
    """
    found = [folder / name for name in FILE_NAMES if (folder / name).is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise InvalidDocument(f"there is {names}", path=str(folder), hint="keep one of them")
    return found[0] if found else None


def read_kustomization(documents: list[Document], path: Path, findings: Findings) -> Kustomization:
    """The kustomization that the ``documents`` of the file at ``path`` are.

    What is refused in it is added to ``findings`` and left out. Raises InvalidDocument when
    nothing can be made of it.
    """
    if len(documents) != 1:
        raise InvalidDocument(f"{len(documents)} YAML documents instead of one", path=str(path))
    document = documents[0]
    if not isinstance(document.value, dict):
        raise invalid_field(document, (), "a kustomization is a mapping")
    clean, fields = _convert(document, _refuse_fields(document, findings), findings)
    if fields.kind not in API_VERSIONS:
        raise invalid_field(clean, ("kind",), f"{fields.kind} is not {' or '.join(API_VERSIONS)}")
    if fields.api_version not in ("", API_VERSIONS[fields.kind]):
        wanted = API_VERSIONS[fields.kind]
        raise invalid_field(clean, ("apiVersion",), f"a {fields.kind} has {wanted}")
    return Kustomization(clean, fields)


def _convert(
    document: Document, value: dict[str, Any], findings: Findings
) -> tuple[Document, KustomizationFields]:
    """``value`` as fields; one that is wrong is an issue and left out with all below it."""
    while True:
        clean = Document(document.path, value, document.lines)
        try:
            return clean, convert(clean, KustomizationFields)
        except InvalidDocument as error:
            wrong = re.split(r"[.\[]", error.field)[0]
            reason = REFUSED_BELOW.get(error.field.rpartition(".")[2])
            if reason:
                findings.add(
                    codes.UNSUPPORTED_KUSTOMIZATION,
                    f"{error.field} is refused, so {wrong} has no effect",
                    file=error.path,
                    line=error.line,
                    hint=reason,
                )
            else:
                findings.add_error(codes.INVALID_KUSTOMIZATION, error)
            value = {name: item for name, item in value.items() if name != wrong}


def _refuse_fields(document: Document, findings: Findings) -> dict[str, Any]:
    """The value without what is refused and what is null."""
    known = set(_NAMES.values())
    kept = {}
    for name, value in document.value.items():
        line = document.line_of((name,))
        if name in known:
            if value is not None:
                kept[name] = without_nulls(value)
        elif name not in REFUSED:
            near = nearest_names(str(name), known)
            findings.add(
                codes.INVALID_KUSTOMIZATION,
                f"{name} is no field of a kustomization",
                file=document.path,
                line=line,
                hint=f"did you mean {' or '.join(near)}?" if near else "",
            )
        elif value not in (None, "", [], {}):
            findings.add(
                codes.UNSUPPORTED_KUSTOMIZATION,
                f"{name} is refused",
                file=document.path,
                line=line,
                hint=REFUSED[name],
            )
    return kept
