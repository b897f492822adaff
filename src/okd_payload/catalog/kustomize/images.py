# SPDX-License-Identifier: Apache-2.0
"""Other names, tags and digests for the images of containers, in objects of any kind.

As kustomize does it without a schema: every list called ``containers`` or ``initContainers``,
wherever it stands, but in custom resource definitions, whose schemas have such names too. The name
in an image change is a regular expression. Fields of other names are left alone.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import msgspec

from okd_payload.catalog.kustomize.fields import ImageChange
from okd_payload.catalog.kustomize.resource import Resource

_LISTS = frozenset({"containers", "initContainers"})
_FIELD = "image"
_CHECKED_BY_SCHEMA = "CustomResourceDefinition"


class _Parts(msgspec.Struct, frozen=True):
    """An image reference as kustomize cuts it, which asks for no valid one."""

    name: str
    tag: str
    digest: str

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def change_images(resource: Resource, change: ImageChange) -> Resource:
    """``resource`` with ``change`` made wherever a container has that image."""
    if resource.identity.kind == _CHECKED_BY_SCHEMA:
        return resource
    return resource.with_value(_walk(resource.value, change))


def _walk(value: Any, change: ImageChange) -> Any:
    if isinstance(value, list):
        items = [_walk(item, change) for item in value]
        return value if all(map(_is_same, items, value)) else items
    if not isinstance(value, dict):
        return value
    found = {}
    for key, item in value.items():
        below = _walk(item, change)
        if key in _LISTS and isinstance(below, list):
            containers = [_change_container(each, change) for each in below]
            below = below if all(map(_is_same, containers, below)) else containers
        found[key] = below
    return value if all(found[key] is value[key] for key in value) else found


def _is_same(left: Any, right: Any) -> bool:
    return left is right


def _change_container(container: Any, change: ImageChange) -> Any:
    image = container.get(_FIELD) if isinstance(container, dict) else None
    if not isinstance(image, str) or not _pattern(change.name).match(image):
        return container
    return {**container, _FIELD: _changed(image, change)}


def _changed(image: str, change: ImageChange) -> str:
    parts = _split(image)
    tag, digest = parts.tag, parts.digest
    if change.new_tag or change.digest:
        tag, digest = change.new_tag, change.digest
    return str(_Parts(change.new_name or parts.name, tag, digest))


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    """Which images ``name`` means: it is an expression, unless it can be none; '*' means all."""
    rest = r"(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?\Z"
    name = ".*" if name == "*" else name
    try:
        return re.compile(f"{name}{rest}")
    except re.error:
        return re.compile(f"{re.escape(name)}{rest}")


def _split(image: str) -> _Parts:
    host, slash, _ = image.partition("/")
    start = len(host) if slash and host else 0
    name, at, digest = image[start:].partition("@")
    name, _, tag = name.partition(":")
    return _Parts(image[:start] + name, tag, digest if at else "")
