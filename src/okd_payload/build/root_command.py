# SPDX-License-Identifier: Apache-2.0
"""Running the command of an import, which writes a root file system.

The command is told for which machine in the words that Dockerfiles know, ``TARGETPLATFORM`` and
its parts, and the time of its files in ``SOURCE_DATE_EPOCH``. What it wrote is not believed: a
system whose programs are all for other machines is refused, because the image would say otherwise.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from okd_payload import process
from okd_payload.build.images import NO_SOURCE_TIME
from okd_payload.build.log_text import clean_text
from okd_payload.build.plan import ImportNode
from okd_payload.build.programs import architectures_of
from okd_payload.errors import (
    BuildError,
    ContentError,
    InputError,
    OkdPayloadError,
    StorageError,
)
from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import FileSource
from okd_payload.oci.elf import KNOWN_ARCHITECTURES
from okd_payload.oci.layers.normalise import NORMAL_FORM, normalise_layer
from okd_payload.oci.layers.writer import LayerBlob
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.manifest import Platform

_TOLD_LINES = 5
_DISK_FULL = re.compile(
    r"no space left on device|disk quota exceeded|wrote only \d+ of \d+ bytes|short write",
    re.IGNORECASE,
)


def command_key(node: ImportNode, platform: Platform) -> str:
    """The key of what a command writes. Raises InputError when its script cannot be read."""
    program, *arguments = node.command
    script = b""
    if "/" in program:
        try:
            script = Path(program).read_bytes()
        except OSError as error:
            raise InputError(
                f"import {node.name}: cannot read {program}: {error.strerror}",
                hint="the first word of `command` is a program, relative to the stream file",
            ) from error
    digest = hashlib.sha256(script).hexdigest()
    words = [NORMAL_FORM, str(platform), Path(program).name, digest, *arguments]
    return hashlib.sha256(msgspec.json.encode(words)).hexdigest()


async def make_root(node: ImportNode, folder: Path, *, platform: Platform, log: Path) -> LayerBlob:
    """The layer that the command of ``node`` makes, in ``folder``. Raises OkdPayloadError."""
    archive = folder / "root.tar"
    with storage_errors("write", archive):
        await _write_archive(node, archive, platform=platform, log=log)
        is_empty = archive.stat().st_size == 0
    if is_empty:
        raise _no_root(node, "it printed nothing")
    try:
        _check_machine(node, await architectures_of(FileSource(archive).open()), platform)
        return await normalise_layer(
            FileSource(archive).open(),
            folder / "layer",
            timestamp=NO_SOURCE_TIME,
            media_type=media_types.OCI_LAYER_GZIP,
        )
    except ContentError as error:
        raise _no_root(node, error.message) from error


def _check_machine(node: ImportNode, found: frozenset[str], platform: Platform) -> None:
    """Refuse a system whose programs cannot run where the image says that it does."""
    wanted = platform.architecture
    if found and wanted in KNOWN_ARCHITECTURES and wanted not in found:
        raise BuildError(
            f"import {node.name}: {' '.join(node.command)} wrote programs for "
            f"{', '.join(sorted(found))}, and the image is for {platform}",
            hint="the command finds in TARGETARCH which machine it has to write for",
        )


async def _write_archive(node: ImportNode, archive: Path, *, platform: Platform, log: Path) -> None:
    with archive.open("wb") as output:
        outcome = await process.run(
            node.command,
            directory=Path(node.directory),
            environment=_environment_of(platform),
            output=output,
        )
    if outcome.code != 0:
        raise _failure_of(node, outcome, log)
    _keep(outcome.errors, log)


def _environment_of(platform: Platform) -> dict[str, str]:
    return {
        "SOURCE_DATE_EPOCH": str(NO_SOURCE_TIME),
        "TARGETPLATFORM": str(platform),
        "TARGETOS": platform.os,
        "TARGETARCH": platform.architecture,
        "TARGETVARIANT": platform.variant,
    }


def _failure_of(node: ImportNode, outcome: process.Outcome, log: Path) -> OkdPayloadError:
    """Why the command failed; told from memory, because on a full disk the log is lost."""
    message = f"import {node.name}: {' '.join(node.command)} ended with code {outcome.code}"
    said = clean_text(outcome.errors).splitlines()
    told = [f"  {line}" for line in said if line.strip()][-_TOLD_LINES:]
    if _DISK_FULL.search("\n".join(told)):
        return StorageError(
            "\n".join([f"{message}: the disk is full", *told]),
            hint="free some space and run the same command again",
        )
    _keep(outcome.errors, log)
    hint = f"`okd-payload logs {node.name}` shows everything it said"
    return BuildError("\n".join([message, *told]), hint=hint)


def _keep(said: str, log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(said)


def _no_root(node: ImportNode, problem: str) -> BuildError:
    return BuildError(
        f"import {node.name}: {' '.join(node.command)} wrote no root file system: {problem}",
        hint="a command prints a tar archive, and nothing else, to standard output",
    )
