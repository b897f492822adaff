# SPDX-License-Identifier: Apache-2.0
"""What somebody wants otherwise than a stream says, for one build only.

Other sources for some components, other Dockerfiles in them, further meanings of foreign
references. Images built so are found by their keys and never become tags of the stream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.codes import MISSING_FOLDER
from okd_payload.catalog.component import Component
from okd_payload.catalog.substitution import Substitution
from okd_payload.errors import InputError
from okd_payload.source.model import Source
from okd_payload.source.overrides import parse_overrides


class ChangeSet(msgspec.Struct, frozen=True, kw_only=True):
    """What is overridden; nothing by default."""

    sources: dict[str, Source] = {}
    """By the name or tag of a component."""
    dockerfiles: dict[str, str] = {}
    """Paths in the context, for some of ``sources``."""
    substitutions: tuple[Substitution, ...] = ()
    """They come before those of the stream."""


def read_change_set(
    *,
    components: Iterable[str],
    dockerfiles: Iterable[str],
    substitutions: Iterable[str],
    directory: Path,
) -> ChangeSet:
    """A change set as people write it on a command line. Raises InputError.

    Components are ``NAME=FOLDER`` or ``NAME=URL[@REF]``, folders relative to ``directory``;
    Dockerfiles ``PATH``, for all components, or ``NAME=PATH``; substitutions ``PATTERN=IMAGE``.
    """
    sources = parse_overrides(components, directory=directory)
    return ChangeSet(
        sources=sources,
        dockerfiles=_parse_dockerfiles(dockerfiles, sources),
        substitutions=tuple(_parse_substitution(text) for text in substitutions),
    )


def apply_change_set(change: ChangeSet, catalog: Catalog) -> Catalog:
    """``catalog`` as ``change`` wants it. Raises UnknownName."""
    names = {catalog.component(given).name: given for given in change.sources}
    components = tuple(
        _change(component, change, names[component.name]) if component.name in names else component
        for component in catalog.components
    )
    rules = (*change.substitutions, *catalog.stream.substitutions)
    return msgspec.structs.replace(
        catalog,
        stream=msgspec.structs.replace(catalog.stream, substitutions=rules),
        components=components,
        issues=tuple(
            issue
            for issue in catalog.issues
            if issue.code != MISSING_FOLDER.code or issue.component not in names
        ),
    )


def _change(component: Component, change: ChangeSet, given: str) -> Component:
    component = msgspec.structs.replace(component, source=change.sources[given])
    path = change.dockerfiles.get(given)
    if path is None:
        return component
    return msgspec.structs.replace(component, dockerfile_path=path, dockerfile=None)


def _parse_dockerfiles(texts: Iterable[str], components: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        if not components:
            raise InputError(
                f"nothing is built from the Dockerfile {text}",
                hint="--dockerfile goes with --component NAME=SOURCE",
            )
        name, _, path = text.partition("=")
        found |= {name: path} if name in components and path else dict.fromkeys(components, text)
    return found


def _parse_substitution(text: str) -> Substitution:
    pattern, _, image = text.partition("=")
    if not pattern or not image:
        raise _invalid(text, "a pattern and an image are needed")
    try:
        return Substitution(glob=pattern, image=image)
    except ValueError as error:
        raise _invalid(text, str(error)) from error


def _invalid(text: str, problem: str) -> InputError:
    return InputError(
        f"substitution {text!r}: {problem}",
        hint="write PATTERN=IMAGE, as in 'fedora:*=quay.io/fedora/fedora:{1}'",
    )
