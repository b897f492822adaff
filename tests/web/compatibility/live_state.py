# SPDX-License-Identifier: Apache-2.0
"""What the recorded controllers had made in the end, as the state that is taken over.

Each stream was recorded apart: its input, and the tags, payloads and jobs that it led to. What the
image API fills in by itself is put back: repositories, and the imported tags of the inputs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from okd_payload.controller.migration.objects import ImageStream, ProwJob, ReleasePayload
from okd_payload.controller.migration.reading import OldState

_PUBLIC = "registry.ci.example.org"
_INSIDE = "image-registry.openshift-image-registry.svc:5000"


class Recorded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How one stream was left."""

    target_tags: list[dict[str, Any]]
    target_status_tags: list[dict[str, Any]]
    release_payloads: list[dict[str, Any]]
    prow_jobs: list[dict[str, Any]]


class RecordedStream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream, and what became of it."""

    source: str
    config: dict[str, Any]
    input: dict[str, Any]
    final: Recorded

    @property
    def target(self) -> str:
        """The image stream that its releases are tags of, ``NAMESPACE/NAME``."""
        if self.config.get("as") == "Stable":
            return self.source
        return f"{self.source.partition('/')[0]}/{self.config['to']}"


def read_streams(folder: Path) -> list[RecordedStream]:
    """All of them but the one that was begun after everything else was recorded."""
    return [
        msgspec.json.decode(path.read_bytes(), type=RecordedStream)
        for path in sorted(folder.glob("4*.json"))
        if not path.name.startswith("4.26.")
    ]


def gather(streams: list[RecordedStream]) -> OldState:
    """Everything that ``streams`` led to, in one place."""
    found: dict[str, dict[str, Any]] = {}
    for each in streams:
        found[each.source] = each.input | {"status": _status(each.source, _imported(each.input))}
    for each in streams:
        target = found.setdefault(each.target, _image_stream(each.target))
        if each.target == each.source:
            target |= {"spec": {"tags": []}, "status": _status(each.source, [])}
        target["spec"]["tags"] += each.final.target_tags
        target["status"]["tags"] += each.final.target_status_tags
    payloads = [each for stream in streams for each in stream.final.release_payloads]
    jobs = [each for stream in streams for each in stream.final.prow_jobs]
    return OldState(
        image_streams=msgspec.convert(list(found.values()), tuple[ImageStream, ...]),
        payloads=msgspec.convert(payloads, tuple[ReleasePayload, ...]),
        prow_jobs=msgspec.convert(jobs, tuple[ProwJob, ...]),
    )


def _image_stream(place: str) -> dict[str, Any]:
    namespace, _, name = place.partition("/")
    metadata = {"namespace": namespace, "name": name}
    return {"metadata": metadata, "spec": {"tags": []}, "status": _status(place, [])}


def _status(place: str, tags: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "publicDockerImageRepository": f"{_PUBLIC}/{place}",
        "dockerImageRepository": f"{_INSIDE}/{place}",
        "tags": tags,
    }


def _imported(stream: dict[str, Any]) -> list[dict[str, Any]]:
    """What has an image: tags that are references are not imported."""
    item = {"image": "sha256:" + "0" * 64, "generation": 1}
    return [
        {"tag": tag["name"], "items": [item]}
        for tag in stream["spec"].get("tags") or ()
        if not tag.get("reference")
    ]
