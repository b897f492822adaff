# SPDX-License-Identifier: Apache-2.0
"""Images with real programs, for tests that start them."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from okd_payload.controller.verification.runners.builtin.findings import Findings
from okd_payload.controller.verification.runners.builtin.images import StartChoice, check_images
from okd_payload.imagestream.openshift import DOCKER_IMAGE, ObjectReference, TagReference
from okd_payload.oci.manifest import Manifest
from okd_payload.oci.platform import host_platform
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository

HERE = host_platform().architecture
ELSEWHERE = "arm64" if HERE != "arm64" else "amd64"
_MACHINES = {"amd64": 62, "arm64": 183}


def busybox() -> bytes:
    """A shell that needs no library."""
    found = shutil.which("busybox")
    if found is None:
        pytest.skip("needs a static shell: busybox")
    return Path(found).read_bytes()


def for_machine(program: bytes, architecture: str) -> bytes:
    """``program`` with another machine in its header."""
    return program[:18] + _MACHINES[architecture].to_bytes(2, "little") + program[20:]


def archive(files: Mapping[str, bytes | str]) -> bytes:
    """A layer: bytes are programs, text beginning with ``->`` is a link, other text a script."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as made:
        for name, given in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode = 0o755
            if isinstance(given, str) and given.startswith("->"):
                entry.type, entry.linkname = tarfile.SYMTYPE, given[2:]
                made.addfile(entry)
                continue
            body = given if isinstance(given, bytes) else f"#!/bin/sh\n{given}\n".encode()
            entry.size = len(body)
            made.addfile(entry, io.BytesIO(body))
    return content.getvalue()


class Images:
    """A repository of images, and the check of them."""

    def __init__(self, state: Path) -> None:
        self.repository = MemoryRepository("quay.test/okd/content")
        self.clock = ManualClock()
        self._state = state
        self._tags: list[TagReference] = []

    async def add(
        self,
        name: str,
        *layers: Mapping[str, bytes | str],
        command: Sequence[str] = ("/entry",),
        architecture: str = HERE,
    ) -> Manifest:
        """An image of these layers, the lowest first, that starts with ``command``."""
        manifest = await push_image(
            self.repository,
            layers=[archive(layer) for layer in layers],
            entrypoint=command,
            architecture=architecture,
        )
        self.list(name, manifest)
        return manifest

    async def script(self, name: str, text: str) -> Manifest:
        """An image that starts with a script."""
        return await self.add(
            name, {"bin/busybox": busybox(), "bin/sh": "->busybox"}, {"entry": text}
        )

    def list(self, name: str, manifest: Manifest) -> None:
        """Make ``manifest`` the image ``name`` of the release."""
        spec = f"{self.repository.name}@{manifest.digest}"
        origin = ObjectReference(kind=DOCKER_IMAGE, name=spec)
        self._tags = [each for each in self._tags if each.name != name]
        self._tags.append(TagReference(name=name, origin=origin))

    async def check(self, **choice: object) -> Findings:
        """What is found of all of them."""
        return await check_images(
            self._tags,
            self._open,
            StartChoice(**({"seconds": 5.0} | choice)),  # type: ignore[arg-type] # of the test
            state=self._state,
            clock=self.clock,
        )

    async def _open(self, _reference: Reference) -> Repository:
        return self.repository
