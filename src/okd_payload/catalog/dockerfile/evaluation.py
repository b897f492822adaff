# SPDX-License-Identifier: Apache-2.0
"""What a Dockerfile refers to once its variables have values.

Scopes are BuildKit's: FROM sees only the ARGs before the first FROM; a stage sees the ARGs it
declares (with the values of those before the first FROM, if it gives none), and ENV before ARG
of the same name; a stage built on a stage inherits both, and runs its ONBUILD triggers. A name
is a stage when an *earlier* stage has it; everything else, ``scratch`` apart, is an image.
"""

from __future__ import annotations

import csv
import enum
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from okd_payload.catalog.component import Argument
from okd_payload.catalog.dockerfile.model import Dockerfile, Instruction, Place, Stage
from okd_payload.catalog.dockerfile.words import Expanded, expand, split_pairs, split_words
from okd_payload.oci.manifest import Platform

SCRATCH = "scratch"


class OperandKind(enum.Enum):
    """Where an image is named."""

    FROM = "FROM"
    COPY = "COPY --from"
    MOUNT = "RUN --mount"


class Operand(msgspec.Struct, frozen=True, kw_only=True):
    """One mention of a stage or an image."""

    kind: OperandKind
    written: str
    """As it stands in the text."""
    name: str
    """After variables were replaced: what a builder looks up."""
    line: int
    stage: int
    """The index of the stage that mentions it."""
    target: int | None = None
    """The index of the stage that is meant; None for an image."""


class Evaluation(msgspec.Struct, frozen=True):
    """Everything that a Dockerfile mentions, and the labels of the image it makes."""

    operands: tuple[Operand, ...]
    labels: dict[str, str]

    @property
    def images(self) -> tuple[Operand, ...]:
        """The operands that are images."""
        return tuple(operand for operand in self.operands if operand.target is None)


class _Scope(msgspec.Struct):
    """The variables and labels of one stage, while it is read."""

    arguments: dict[str, str]
    environment: dict[str, str]
    labels: dict[str, str]
    triggers: tuple[Instruction, ...] = ()

    @property
    def values(self) -> dict[str, str]:
        return self.arguments | self.environment

    def inherit(self) -> _Scope:
        return _Scope(dict(self.arguments), dict(self.environment), dict(self.labels))


def evaluate(
    dockerfile: Dockerfile,
    *,
    arguments: Iterable[Argument] = (),
    platform: Platform | None = None,
) -> Evaluation:
    """What ``dockerfile`` mentions when built with ``arguments``. Raises InvalidDocument.

    Of equal names in ``arguments`` the later wins.
    """
    given = {argument.name: argument.value for argument in arguments}
    return _Evaluator(dockerfile, given, platform_arguments(platform)).evaluate()


def platform_arguments(platform: Platform | None) -> dict[str, str]:
    """The arguments that every builder sets, when the platform is known."""
    if platform is None:
        return {}
    values = {
        "PLATFORM": str(platform),
        "OS": platform.os,
        "ARCH": platform.architecture,
        "VARIANT": platform.variant,
    }
    return {f"{side}{name}": text for side in ("BUILD", "TARGET") for name, text in values.items()}


class _Evaluator:
    """Walks the stages in order."""

    def __init__(
        self, dockerfile: Dockerfile, given: Mapping[str, str], platform: Mapping[str, str]
    ) -> None:
        self._file = dockerfile
        self._given = given
        self._global = dict(platform)
        self._scopes: list[_Scope] = []

    def evaluate(self) -> Evaluation:
        for instruction in self._file.arguments:
            self._declare(instruction, self._global, self._global)
        operands = [operand for stage in self._file.stages for operand in self._read_stage(stage)]
        return Evaluation(tuple(operands), self._scopes[-1].labels)

    def _read_stage(self, stage: Stage) -> Iterator[Operand]:
        name = self._look_up(stage.image, self._global, stage.line)
        target = self._find_stage(name, before=stage.index)
        scope = _Scope({}, {}, {})
        triggers: tuple[Instruction, ...] = ()
        if target is not None:
            scope, triggers = self._scopes[target].inherit(), self._scopes[target].triggers
        self._scopes.append(scope)
        if name != SCRATCH:
            yield Operand(
                kind=OperandKind.FROM,
                written=stage.image,
                name=name,
                line=stage.line,
                stage=stage.index,
                target=target,
            )
        for instruction in (*triggers, *stage.instructions):
            yield from self._read(instruction, scope, stage)

    def _read(self, instruction: Instruction, scope: _Scope, stage: Stage) -> Iterator[Operand]:
        place = self._file.place(instruction.line)
        match instruction.name:
            case "ARG":
                self._declare(instruction, scope.arguments, scope.values)
            case "ENV":
                scope.environment |= self._pairs(instruction, scope, place)
            case "LABEL":
                scope.labels |= self._pairs(instruction, scope, place)
            case "ONBUILD" if instruction.trigger:
                scope.triggers = (*scope.triggers, instruction.trigger)
            case "ADD" | "COPY" if instruction.flag("from"):
                written = instruction.flag("from")
                yield self._operand(
                    OperandKind.COPY, written, line=instruction.line, scope=scope, stage=stage
                )
            case "RUN":
                for written in _mounted(instruction):
                    yield self._operand(
                        OperandKind.MOUNT, written, line=instruction.line, scope=scope, stage=stage
                    )
            case _:
                pass

    def _operand(
        self, kind: OperandKind, written: str, *, line: int, scope: _Scope, stage: Stage
    ) -> Operand:
        name = self._look_up(written, scope.values, line)
        target = self._find_stage(name, before=stage.index)
        if target is None and name.isdecimal():
            target = int(name)
            if target >= stage.index:
                raise self._file.place(line).error(
                    f"{kind.value}={name}: there is no stage {name} before this one",
                    hint="stages are counted from 0",
                )
        return Operand(
            kind=kind, written=written, name=name, line=line, stage=stage.index, target=target
        )

    def _find_stage(self, name: str, *, before: int) -> int | None:
        for stage in reversed(self._file.stages[:before]):
            if stage.is_called(name):
                return stage.index
        return None

    def _look_up(self, written: str, values: Mapping[str, str], line: int) -> str:
        place = self._file.place(line)
        found = self._expand(written, values, place)
        if found.missing or not found.text:
            names = " and ".join(found.missing) or written
            raise place.error(
                f"{written}: {names} has no value",
                hint="give it with `buildArguments`, or let its ARG have a default",
            )
        return found.text

    def _expand(self, written: str, values: Mapping[str, str], place: Place) -> Expanded:
        return expand(written, values, escape=self._file.escape, place=place)

    def _pairs(self, instruction: Instruction, scope: _Scope, place: Place) -> dict[str, str]:
        values = scope.values
        return {
            self._expand(name, values, place).text: self._expand(value, values, place).text
            for name, value in split_pairs(instruction.text, self._file.escape, place)
        }

    def _declare(
        self, instruction: Instruction, into: dict[str, str], values: Mapping[str, str]
    ) -> None:
        place = self._file.place(instruction.line)
        for word in split_words(instruction.text, self._file.escape):
            name, has_default, default = word.partition("=")
            if name in self._given:
                into[name] = self._given[name]
            elif has_default:
                into[name] = self._expand(default, {**values, **into}, place).text
            elif name in self._global:
                into[name] = self._global[name]


def _mounted(instruction: Instruction) -> Iterator[str]:
    """The images and stages that a RUN mounts."""
    for flag in instruction.flags:
        if flag.name == "mount":
            for field in next(csv.reader([flag.value]), []):
                key, _, value = field.partition("=")
                if key.strip().lower() == "from" and value:
                    yield value
