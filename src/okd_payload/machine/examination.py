# SPDX-License-Identifier: Apache-2.0
"""Looking at a machine: what it has of what the product needs, and what mends the rest.

Nothing is tried here: programs are asked for their version only. Whether images can really be
built is for the engine to find out.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import msgspec

from okd_payload import process
from okd_payload.errors import OkdPayloadError
from okd_payload.locations import Locations
from okd_payload.machine.distribution import Distribution, Program, read_programs
from okd_payload.machine.model import Examination, Finding, Part, State

OS_RELEASE = Path("/etc/os-release")
LEAST_FREE_GIGABYTES = 3
"""Room for the quickstart stream and its tests; real streams take ten times that."""
_ANSWER_SECONDS = 20.0
_VERSION = re.compile(r"\d+(?:\.\d+)+")


async def examine(
    locations: Locations, *, as_root: bool, os_release: Path = OS_RELEASE
) -> Examination:
    """Look for everything the product needs, with ``as_root`` less than without."""
    distribution = Distribution(os_release, as_root=as_root)
    programs = [
        program for program in read_programs() if program.part is not Part.ROOTLESS or not as_root
    ]
    found = await asyncio.gather(*(_look_at(program, distribution) for program in programs))
    missing = [finding.name for finding in found if finding.state is State.MISSING]
    return Examination(
        distribution=distribution.name,
        install=distribution.command(missing) if missing else "",
        findings=(*found, *_look_at_disk(locations)),
    )


async def _look_at(program: Program, distribution: Distribution) -> Finding:
    path = program.find()
    version = await _ask_version(path) if path else ""
    minimum = program.needs if program.needs[0].isdigit() else ""
    finding = Finding(
        name=program.name,
        part=program.part,
        state=State.PRESENT,
        purpose=program.purpose,
        found=version or path or "",
        needed=f"{minimum} or newer" if minimum else program.needs.strip("-"),
    )
    if path is None:
        remedy = distribution.command([program.name])
        return msgspec.structs.replace(finding, state=State.MISSING, remedy=remedy)
    if minimum and _numbers(version) < _numbers(minimum):
        remedy = "a newer release of the distribution has a newer one"
        return msgspec.structs.replace(finding, state=State.UNFIT, remedy=remedy)
    if program.needs == "static" and not await _is_static(path):
        remedy = distribution.command([program.name])
        return msgspec.structs.replace(finding, state=State.UNFIT, remedy=remedy)
    return finding


async def _ask_version(path: str) -> str:
    """The version that the program at ``path`` tells; empty when it tells none."""
    outcome = await _try(path, "--version")
    match = _VERSION.search(outcome.output.decode(errors="replace")) if outcome else None
    return match[0] if match else ""


async def _is_static(path: str) -> bool:
    outcome = await _try("ldd", path)
    return outcome is None or outcome.code != 0


async def _try(*command: str) -> process.Outcome | None:
    try:
        return await process.run(command, deadline=_ANSWER_SECONDS)
    except (OkdPayloadError, TimeoutError):
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number.isdigit())


def _look_at_disk(locations: Locations) -> list[Finding]:
    """The room below the folders of ``locations``, once per disk."""
    options: dict[int, list[str]] = {}
    rooms: dict[int, float] = {}
    for option, folder in (("--cache", locations.cache), ("--state", locations.state)):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        disk = existing.stat().st_dev
        options.setdefault(disk, []).append(option)
        rooms[disk] = shutil.disk_usage(existing).free / 1e9
    return [
        Finding(
            name="disk space",
            part=Part.BUILD,
            state=State.PRESENT if room >= LEAST_FREE_GIGABYTES else State.UNFIT,
            purpose="holds sources, images and logs",
            found=f"{room:.0f} GB free for {' and '.join(options[disk])}",
            needed=f"{LEAST_FREE_GIGABYTES} GB",
            remedy=""
            if room >= LEAST_FREE_GIGABYTES
            else f"free space, or name a larger disk with {' and '.join(options[disk])}",
        )
        for disk, room in rooms.items()
    ]
