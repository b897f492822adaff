# SPDX-License-Identifier: Apache-2.0
"""The schemas of the built-in kinds, from the table ``kinds.txt`` beside this module.

The table has a line for each type of the API: its fields with their types, ``*`` before those
that must be given, ``[]`` before the type of the items of a list, and after ``/`` the keys by
which the items of a list are told apart. It is drawn from the published OpenAPI of Kubernetes;
the keys and what stands in maps are added by hand.
"""

from __future__ import annotations

import functools
from importlib import resources

import msgspec

from okd_payload.testing.kubernetes.schema.node import ANYTHING, Bounds, ListType, Node
from okd_payload.testing.kubernetes.schema.schema import Schema

_TEXT = Node(type="string")
_LIST_OF_OBJECTS = Node(type="array", items=ANYTHING)
_TEXT_MAP = Node(type="object", additional=_TEXT)
_QUANTITY = Node()
_METADATA = Node(
    type="object",
    properties={
        **dict.fromkeys(("name", "namespace", "generateName", "uid", "resourceVersion"), _TEXT),
        **dict.fromkeys(("labels", "annotations"), _TEXT_MAP),
        **dict.fromkeys(("ownerReferences", "managedFields"), _LIST_OF_OBJECTS),
        "finalizers": Node(type="array", items=_TEXT, list_type=ListType.SET),
        "creationTimestamp": Node(type="string", nullable=True),
        "deletionTimestamp": Node(type="string", nullable=True),
        "deletionGracePeriodSeconds": Node(type="integer"),
        "generation": Node(type="integer"),
        "selfLink": _TEXT,
    },
)
"""The metadata of templates; that of whole objects is checked elsewhere."""
_SIMPLE = {
    "any": ANYTHING,
    "boolean": Node(type="boolean"),
    "int-or-string": Node(int_or_string=True),
    "integer": Node(type="integer"),
    "map:byte": Node(type="object", additional=Node(type="string", bounds=Bounds(format="byte"))),
    "map:quantity": Node(type="object", additional=_QUANTITY),
    "map:string": _TEXT_MAP,
    "metadata": _METADATA,
    "number": Node(type="number"),
    "quantity": _QUANTITY,
    "string": _TEXT,
    "time": _TEXT,
}


def built_in_schema(kind: str) -> Schema | None:
    """The schema of a built-in kind; nothing for one that is not in the table."""
    if kind not in _table():
        return None
    return Schema(_compile(kind, judged=True), omits_empty=True)


@functools.cache
def _table() -> dict[str, list[str]]:
    text = resources.files(__package__ or "").joinpath("kinds.txt").read_text()
    lines = (line.partition(": ") for line in text.splitlines())
    return {name: fields.split("; ") if fields else [] for name, _, fields in lines}


@functools.cache
def _compile(name: str, *, judged: bool) -> Node:
    """The node of a type; where it is not ``judged``, as in a status, nothing must be given."""
    properties = {}
    required = []
    for field in _table()[name]:
        word, _, kind = field.partition(" ")
        if word.startswith("*") and judged:
            required.append(word[1:])
        word = word.removeprefix("*")
        properties[word] = _field(kind, judged=judged and word != "status")
    return Node(type="object", properties=properties, required=tuple(required))


def _field(kind: str, *, judged: bool) -> Node:
    """The node of a field, for which Go takes null as absent."""
    if kind.startswith("[]"):
        item, _, keys = kind[2:].partition("/")
        return Node(
            type="array",
            nullable=True,
            items=_field(item, judged=judged),
            list_type=ListType.MAP if keys else ListType.ATOMIC,
            list_keys=tuple(keys.split(",")) if keys else (),
        )
    simple = _SIMPLE.get(kind)
    node = _compile(kind, judged=judged) if simple is None else simple
    return msgspec.structs.replace(node, nullable=True)
