# SPDX-License-Identifier: Apache-2.0
"""Mirror sets as OpenShift clusters keep them, read from files.

ImageDigestMirrorSet and ImageTagMirrorSet, and what came before them: ImageContentSourcePolicy
and ImageContentPolicy. A file may hold several, of different kinds, or a list as ``oc get``
prints it. Mirrors of one source are joined in the order in which they stand, and a source that
one of the sets forbids to contact is not contacted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from okd_payload.documents import Document, convert, invalid_field, read_documents
from okd_payload.errors import InvalidDocument, InvalidReference
from okd_payload.oci.mirrors.rules import (
    Mirror,
    MirrorRule,
    MirrorRules,
    Pulls,
    check_location,
    check_prefix,
)

_CONFIG, _OPERATOR = "config.openshift.io/v1", "operator.openshift.io/v1alpha1"


class _Entry(msgspec.Struct, frozen=True, rename="camel"):
    source: str
    mirrors: tuple[str, ...] = ()
    mirror_source_policy: Literal["", "AllowContactingSource", "NeverContactSource"] = ""
    allow_mirror_by_tags: bool = False


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    image_digest_mirrors: tuple[_Entry, ...] = ()
    image_tag_mirrors: tuple[_Entry, ...] = ()
    repository_digest_mirrors: tuple[_Entry, ...] = ()


class _MirrorSet(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    spec: _Spec = _Spec()


_FIELDS = {
    (_CONFIG, "ImageDigestMirrorSet"): "image_digest_mirrors",
    (_CONFIG, "ImageTagMirrorSet"): "image_tag_mirrors",
    (_CONFIG, "ImageContentPolicy"): "repository_digest_mirrors",
    (_OPERATOR, "ImageContentSourcePolicy"): "repository_digest_mirrors",
}
_HINT = f"known are {', '.join(kind for _, kind in _FIELDS)}"
_PULLS = {
    "image_digest_mirrors": Pulls.BY_DIGEST,
    "image_tag_mirrors": Pulls.BY_TAG,
    "repository_digest_mirrors": Pulls.BY_DIGEST,
}


def read_mirror_sets(paths: Iterable[Path]) -> MirrorRules:
    """The rules of all mirror sets in the files at ``paths``. Raises InvalidDocument."""
    rules: dict[str, MirrorRule] = {}
    for path in paths:
        documents = read_documents(path)
        if not documents:
            raise InvalidDocument("no mirror set is in it", path=str(path), hint=_HINT)
        for document in documents:
            for rule in _read_document(document):
                known = rules.get(rule.prefix, MirrorRule(prefix=rule.prefix))
                rules[rule.prefix] = msgspec.structs.replace(
                    known,
                    mirrors=tuple(dict.fromkeys((*known.mirrors, *rule.mirrors))),
                    blocked=known.blocked or rule.blocked,
                )
    return MirrorRules(rules=tuple(rules.values()))


def _read_document(document: Document) -> Iterator[MirrorRule]:
    value = document.value
    items = value.get("items") if isinstance(value, dict) else None
    if isinstance(items, list) and str(value.get("kind", "")).endswith("List"):
        for item in items:
            yield from _read_document(Document(document.path, item, {}))
        return
    found = convert(document, _MirrorSet)
    field = _FIELDS.get((found.api_version, found.kind))
    if field is None:
        raise invalid_field(
            document,
            ("kind",),
            f"{found.kind} in {found.api_version} is no mirror set",
            hint=_HINT,
        )
    for number, entry in enumerate(getattr(found.spec, field)):
        try:
            yield _make_rule(entry, _PULLS[field])
        except InvalidReference as error:
            name = _json_name(field)
            raise invalid_field(
                document, ("spec", name, number), error.message, hint=error.hint
            ) from error


def _make_rule(entry: _Entry, pulls: Pulls) -> MirrorRule:
    allowed = Pulls.ALL if entry.allow_mirror_by_tags else pulls
    return MirrorRule(
        prefix=check_prefix(entry.source),
        mirrors=tuple(Mirror(check_location(text), allowed) for text in entry.mirrors),
        blocked=entry.mirror_source_policy == "NeverContactSource",
    )


def _json_name(field: str) -> str:
    names = dict(zip(_Spec.__struct_fields__, _Spec.__struct_encode_fields__, strict=True))
    return names[field]
