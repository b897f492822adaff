# SPDX-License-Identifier: Apache-2.0
"""Kills at every step that matters: before and after whatever is read, written or pushed.

``each_kill`` gives one pair of surroundings after the other: in those of the first a process is
killed at its n-th step, those of the second are whole, for whoever goes on. It ends when there
are no steps left to be killed at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from rig import Rig

from okd_payload.controller.surroundings import Surroundings
from okd_payload.oci.location import Location
from okd_payload.oci.repository import Repository

_WRITES = frozenset({"put", "untag", "delete", "collect_garbage", "write", "read", "patch"})


class Killed(BaseException):
    """The process is no more."""


class Fuse:
    """Lets so many steps happen, and no more."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def burn(self) -> None:
        """One step on."""
        if self._left == 0:
            raise Killed
        self._left -= 1


class _Fused:
    """Something whose calls are steps."""

    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target = target
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if name == "manifests":
            return _Fused(value, self._fuse)
        if name not in _WRITES:
            return value

        async def call(*arguments: Any, **named: Any) -> Any:
            self._fuse.burn()
            result = await value(*arguments, **named)
            self._fuse.burn()
            return result

        return call


def fused(surroundings: Surroundings, fuse: Fuse) -> Surroundings:
    """``surroundings`` in which every step burns the fuse."""

    def opening(opened: Callable[[Location], Awaitable[Repository]]) -> Any:
        async def opens(location: Location) -> Any:
            return _Fused(await opened(location), fuse)

        return opens

    return msgspec.structs.replace(
        surroundings,
        database=_Fused(surroundings.database, fuse),
        open_target=opening(surroundings.open_target),
    )


async def each_kill(
    folder: Path,
    prepare: Callable[[Rig], Awaitable[None]],
    act: Callable[[Surroundings], Awaitable[Any]],
) -> AsyncIterator[Rig]:
    """A rig after each possible kill of ``act``, which ran once more to its end."""
    steps = 0
    while True:
        rig = Rig(folder / str(steps))
        await prepare(rig)
        killed = True
        try:
            await act(fused(rig.surroundings, Fuse(steps)))
            killed = False
        except Killed:
            await act(rig.surroundings)
        try:
            yield rig
        finally:
            await rig.database.close()
        if not killed:
            return
        steps += 1
