# SPDX-License-Identifier: Apache-2.0
"""Resource files: the objects in them, one by one, lists taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.catalog.kustomize.identity import identity_of
from okd_payload.catalog.kustomize.resource import Resource
from okd_payload.documents import Document, invalid_field


def objects_in(document: Document) -> Iterator[Document]:
    """``document`` itself, or what the list that it is has in it.

    Raises InvalidDocument when one of them is no Kubernetes object.
    """
    value = document.value
    if not isinstance(value, dict):
        raise invalid_field(document, (), "no Kubernetes object: not a mapping")
    items = value.get("items")
    if str(value.get("kind", "")).endswith("List") and (items is None or isinstance(items, list)):
        for number in range(len(items or ())):
            yield from objects_in(_item_of(document, number))
        return
    identity = identity_of(value)
    for field, text in ((("kind",), identity.kind), (("metadata", "name"), identity.name)):
        if not text:
            raise invalid_field(document, field, "missing, and every Kubernetes object has it")
    yield document


def resource_of(document: Document) -> Resource:
    """The object of ``document``, as nothing has touched it yet."""
    return Resource(document, document.value)


def _item_of(document: Document, number: int) -> Document:
    """Item ``number`` of a list, as a document of its own."""
    below = ("items", number)
    lines = {field[2:]: line for field, line in document.lines.items() if field[:2] == below}
    return Document(document.path, document.value["items"][number], lines)
