# SPDX-License-Identifier: Apache-2.0
"""The expressions of CEL that let an event in, and take out of it what a run needs.

Values of an event are written into the object that is created, so none is taken as it came: what
a run gets is either looked up in a table of the stream's own names, or a commit of forty
hexadecimal digits. Nothing that a stranger types reaches a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from okd_payload.engines.tekton.triggers.forges import EventShape, is_commit_expression
from okd_payload.engines.tekton.triggers.repositories import WatchedRepository

SEPARATOR = ","
"""Between names of components; no name has it."""


class Overlay(msgspec.Struct, frozen=True):
    """A value that is added to the event, below ``extensions``."""

    key: str
    expression: str


class Filtering(msgspec.Struct, frozen=True, kw_only=True):
    """What the interceptor for CEL is told."""

    filter: str
    overlays: tuple[Overlay, ...]


def make_filtering(shape: EventShape, repositories: Iterable[WatchedRepository]) -> Filtering:
    """Let in events of ``shape`` about ``repositories``, which all name their branch or none."""
    watched = tuple(repositories)
    by_default = not watched[0].branch
    where = shape.repository if by_default else f"{shape.repository} + '@' + {shape.branch}"
    components = {_place(each): SEPARATOR.join(each.components) for each in watched}
    names = {_place(each): each.name for each in watched}
    conditions = [shape.condition, is_commit_expression(shape), f"({where}) in {_list(components)}"]
    if by_default:
        conditions.append(f"{shape.branch} == {shape.default_branch}")
    return Filtering(
        filter=" && ".join(conditions),
        overlays=(
            Overlay("components", f"{_map(components)}[{where}]"),
            Overlay("repository", f"{_map(names)}[{where}]"),
            Overlay("commit", shape.commit),
        ),
    )


def _place(repository: WatchedRepository) -> str:
    """By what an event is recognised."""
    if not repository.branch:
        return repository.path
    return f"{repository.path}@refs/heads/{repository.branch}"


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _map(values: Mapping[str, str]) -> str:
    entries = (f"{_text(name)}: {_text(value)}" for name, value in values.items())
    return f"{{{', '.join(entries)}}}"


def _text(value: str) -> str:
    r"""``value`` as a literal of CEL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
