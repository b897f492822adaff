# SPDX-License-Identifier: Apache-2.0
"""Kills at every step that matters: before and after whatever is read, written or pushed.

``each_kill`` gives one pair of surroundings after the other: in those of the first a process is
killed before its n-th step, those of the second are whole, for whoever goes on. It ends with a
kill after the last step, and a process that was not killed. Between two steps nothing changes, so
that after one is as good as before the next.
"""

from __future__ import annotations

import contextlib
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

    @property
    def is_spent(self) -> bool:
        """Whether no step more can happen."""
        return self._left == 0

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
            return await value(*arguments, **named)

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
        fuse = Fuse(steps)
        with contextlib.suppress(Killed):
            await act(fused(rig.surroundings, fuse))
        if fuse.is_spent:
            await act(rig.surroundings)
        try:
            yield rig
        finally:
            await rig.database.close()
        if not fuse.is_spent:
            return
        steps += 1
