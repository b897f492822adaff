# SPDX-License-Identifier: Apache-2.0
"""Which build arguments a Dockerfile takes."""

from __future__ import annotations

from collections.abc import Iterable

from okd_payload.catalog.component import Argument, Component
from okd_payload.catalog.dockerfile.model import Dockerfile, Instruction
from okd_payload.catalog.dockerfile.words import split_words

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
_PLATFORM = ("PLATFORM", "OS", "ARCH", "VARIANT")
PREDEFINED = frozenset(
    {
        *_PROXIES,
        *(name.lower() for name in _PROXIES),
        *(f"{side}{name}" for side in ("BUILD", "TARGET") for name in _PLATFORM),
        "SOURCE_DATE_EPOCH",
    }
)
"""Arguments that builders take although no ARG declares them."""


def declared_arguments(dockerfile: Dockerfile) -> frozenset[str]:
    """The names that ARG instructions declare, wherever they stand."""
    instructions = [*dockerfile.arguments]
    for stage in dockerfile.stages:
        instructions += stage.instructions
    return frozenset(
        name
        for instruction in instructions
        for name in _names_of(instruction.trigger or instruction, dockerfile.escape)
    )


def unconsumed_arguments(dockerfile: Dockerfile, arguments: Iterable[Argument]) -> list[str]:
    """Names of ``arguments`` that no ARG declares and no builder knows, sorted."""
    known = declared_arguments(dockerfile) | PREDEFINED
    return sorted({argument.name for argument in arguments} - known)


def select_arguments(dockerfile: Dockerfile, component: Component) -> tuple[Argument, ...]:
    """The arguments to build with: each name once, the last value of it.

    The component's own are all given, declared or not; those that the stream offers only where
    the Dockerfile declares them.
    """
    declared = declared_arguments(dockerfile)
    offered = (each for each in component.offered_arguments if each.name in declared)
    chosen = {each.name: each for each in (*offered, *component.build_arguments)}
    return tuple(chosen.values())


def _names_of(instruction: Instruction, escape: str) -> list[str]:
    if instruction.name != "ARG":
        return []
    return [word.partition("=")[0] for word in split_words(instruction.text, escape)]
