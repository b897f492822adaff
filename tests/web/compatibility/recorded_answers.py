# SPDX-License-Identifier: Apache-2.0
"""The recordings of the old controller, and a controller of ours that took over its state.

Payloads are made anew from what was recorded of them, so their digests are others: they are
exchanged in the state that is taken over, and back in what is answered.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import msgspec
from rig import Rig

from okd_payload.controller.migration.objects import ImageStream, ProwJob, ReleasePayload
from okd_payload.controller.migration.reading import OldState, read_graph, read_items
from okd_payload.controller.migration.taking_over import (
    Takeover,
    plan_takeover,
    read_payloads,
    take_over,
)
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import ImageManifest, encode_manifest
from okd_payload.oci.media_types import Family
from okd_payload.source.history import CommitRange, GitHistory
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.images import DOCKER_LAYER, push_blob

ARTIFACTS = "artifacts.example.org"
_REPOSITORIES = ("registry.ci.example.org/origin", "quay.example.org/okd/scos-release")


class Request(msgspec.Struct, frozen=True):
    """What was asked."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}


class Response(msgspec.Struct, frozen=True, rename="camel"):
    """What was answered."""

    status: int = 0
    headers: dict[str, str] = {}
    body_json: Any = msgspec.UNSET
    body_text: Any = msgspec.UNSET
    body_skeleton: Any = msgspec.UNSET


class Case(msgspec.Struct, frozen=True):
    """One recorded request."""

    instance: str
    family: str
    name: str
    request: Request
    response: Response

    @property
    def identity(self) -> str:
        """Where it is recorded."""
        return f"{self.instance}/{self.family}/{self.name}"


def read_cases(root: Path) -> list[Case]:
    """All recorded requests."""
    return [
        msgspec.json.decode(path.read_bytes(), type=Case)
        for path in sorted((root / "http").rglob("*.json"))
    ]


class TakenOver:
    """A controller of ours in the state of an instance."""

    def __init__(self, root: Path, rig: Rig, instance: str) -> None:
        self.rig = rig
        self._inputs = root / "inputs"
        self._instance = instance
        self.digests: dict[str, str] = {}
        """Those recorded, by those made."""

    async def load(self) -> Takeover:
        """Take over. An instance without inputs of its own has those of ``main``."""
        self.rig.streams.clear()
        architecture = self._instance if self._instance in {"arm64", "multi"} else "amd64"
        if self._instance == "empty":
            return plan_takeover(OldState())
        await self._push_payloads()
        state = OldState(
            image_streams=read_items(self._read("imagestreams.json"), ImageStream, path="streams"),
            payloads=read_items(
                self._read("releasepayloads.json"), ReleasePayload, path="payloads"
            ),
            prow_jobs=read_items(self._read("prowjobs.json"), ProwJob, path="jobs"),
            updates=read_graph(self._read("secret-release-upgrade-graph.json"), path="graph"),
        )
        takeover = plan_takeover(state, architecture=architecture)
        self.rig.streams.update(takeover.configurations)
        await take_over(self.rig.surroundings, takeover)
        await read_payloads(self.rig.surroundings, takeover)
        return takeover

    def restore(self, text: str) -> str:
        """``text`` with the recorded digests."""
        for made, recorded in self.digests.items():
            text = text.replace(made, recorded)
        return text

    def _read(self, name: str) -> bytes:
        own = self._inputs / self._instance / name
        content = (own if own.is_file() else self._inputs / "main" / name).read_bytes()
        for made, recorded in self.digests.items():
            content = content.replace(recorded.encode(), made.encode())
        return content

    async def _push_payloads(self) -> None:
        for path in sorted((self._inputs / "payloads").glob("*.json")):
            recorded = msgspec.json.decode(path.read_bytes())
            digest = await self._push(recorded)
            self.digests[digest] = recorded["digest"]

    async def _push(self, recorded: dict[str, Any]) -> str:
        layer = _layer({name: recorded[name] for name in ("image-references", "release-metadata")})
        config = recorded["config"] | {"rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]}}
        made = ""
        for name in {
            recorded["pullSpec"].rpartition(":")[0],
            *(f"{_REPOSITORIES[0]}/{each}" for each in ("release-scos", "release-scos-next")),
        }:
            repository = self.rig.repository(name)
            stored = await push_blob(repository, layer, DOCKER_LAYER)
            described = await push_blob(
                repository, msgspec.json.encode(config), Family.DOCKER.config
            )
            manifest = encode_manifest(
                ImageManifest(media_type=Family.DOCKER.manifest, config=described, layers=(stored,))
            )
            tag = recorded["pullSpec"].rpartition(":")[2]
            await repository.manifests.put(manifest, tag=tag)
            made = manifest.digest
        return made


def _layer(files: dict[str, Any]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, value in files.items():
            content = msgspec.json.encode(value)
            entry = tarfile.TarInfo(f"release-manifests/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


class RecordedHistory:
    """The recorded repositories, for whoever asks for those on the forge."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder = folder
        for export in sorted((root / "inputs" / "git").glob("*.fast-export")):
            repository = folder / "served" / export.name.partition(".")[0]
            subprocess.run(["git", "init", "-q", "--bare", str(repository)], check=True)
            command = ["git", "-C", str(repository), "fast-import", "--quiet"]
            subprocess.run(command, input=export.read_bytes(), check=True)
            for key in ("allowAnySHA1InWant", "allowFilter"):
                subprocess.run(
                    ["git", "-C", str(repository), "config", f"uploadpack.{key}", "true"],
                    check=True,
                )
        self._history = GitHistory(folder / "read", clock=ManualClock())

    async def between(self, location: str, before: str, after: str) -> CommitRange:
        """What the recorded repository says."""
        name = location.rstrip("/").rpartition("/")[2]
        place = self._folder / "served" / name
        return await self._history.between(place.as_uri(), before, after)
