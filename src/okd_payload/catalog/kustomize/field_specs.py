# SPDX-License-Identifier: Apache-2.0
"""Fields by path, as the tables of transformers name them: ``spec/template/metadata/labels``.

Lists on the way are gone through item by item. Values are not changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from okd_payload.catalog.kustomize.identity import Identity

Path = tuple[str, ...]
Setter = Callable[[Any], Any]


class FieldSpec(msgspec.Struct, frozen=True):
    """A field of some kinds, and whether to make it where it is not."""

    path: Path
    kind: str = ""
    group: str = ""
    version: str = ""
    create: bool = False

    def fits(self, identity: Identity) -> bool:
        """Whether objects of this identity are meant."""
        return (
            self.kind in ("", identity.kind)
            and self.group in ("", identity.group)
            and self.version in ("", identity.version)
        )


def field_spec(
    path: str, kind: str = "", *, group: str = "", version: str = "", create: bool = False
) -> FieldSpec:
    """A field written as a path with '/'."""
    return FieldSpec(tuple(path.split("/")), kind, group, version, create)


def change_field(value: Any, path: Path, change: Setter, *, create: bool = False) -> Any:
    """``value`` with ``change`` applied to each field at ``path``.

    ``change`` gets None for a field that is made; a field that is absent stays so otherwise.
    The value itself comes back when nothing changed.
    """
    if isinstance(value, list):
        items = [change_field(item, path, change, create=create) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items
    if not isinstance(value, dict):
        return value
    step, *rest = path
    if value.get(step) is None:
        if not create:
            return value
        made = change_field({}, tuple(rest), change, create=True) if rest else change(None)
        return {**value, step: made}
    changed = (
        change_field(value[step], tuple(rest), change, create=create)
        if rest
        else change(value[step])
    )
    return value if changed is value[step] else {**value, step: changed}
