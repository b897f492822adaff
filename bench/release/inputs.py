# SPDX-License-Identifier: Apache-2.0
"""What is measured on: synthetic component images in a registry of one's own, by size.

The images come from ``gen_payload.py``, which the peer was measured with too, so the figures of
``peer`` are about equal content.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from okd_payload.testing.docker_registry import serve_docker_registry

ROOT = Path(__file__).resolve().parents[2]
OKD_PAYLOAD = str(ROOT / ".venv" / "bin" / "okd-payload")
GENERATOR = ROOT.parent / "shared" / "bench" / "gen_payload.py"
_CHANGED_COMPONENTS = 20
_OTHER_SEED = "100"


class Input:
    """One size: images in the registry, the stream that names them, and a release made of them."""

    def __init__(self, components: int, registry: str, folder: Path) -> None:
        self.components = components
        self.registry = registry
        self.folder = folder
        self.content = f"{registry}/okd/c{components}"
        self.release = f"{registry}/okd/release:r{components}"
        self.stream = folder / f"in{components}" / "imagestream.json"
        self.primed = folder / f"primed{components}"
        """The cache after the release was made."""
        _generate(registry, f"okd/c{components}", str(components), self.stream.parent)

    def environment(self, cache: Path) -> Mapping[str, str]:
        """The environment of a run with this cache."""
        return run_environment(self.folder, cache)

    def make_release(self) -> None:
        """Make the release that the other jobs are about, and prime a cache with it."""
        command = [
            *(OKD_PAYLOAD, "release", "new", "--quiet", "--reference-mode", "source"),
            *("--from-image-stream-file", str(self.stream)),
            *("--name", "4.99.0", "--to-image", self.release),
        ]
        environment = self.environment(self.primed)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    def changed_streams(self) -> list[Path]:
        """Streams in which one operator each is another image, which nobody has read yet."""
        count = min(self.components, _CHANGED_COMPONENTS)
        other = self.folder / f"changed{count}"
        if not other.exists():
            _generate(self.registry, f"okd/{other.name}", str(count), other, seed=_OTHER_SEED)
        changed = _by_name(other / "imagestream.json")
        names = [item["name"] for item in _read(other / "summary.json")["components"]]
        operators = {
            item["name"] for item in _read(other / "summary.json")["components"] if item["operator"]
        }
        streams = []
        for name in (name for name in names if name in operators):
            stream = _read(self.stream)
            for kind in ("spec", "status"):
                stream[kind]["tags"] = [
                    changed[kind][name] if _name(tag) == name else tag
                    for tag in stream[kind]["tags"]
                ]
            path = self.stream.with_name(f"changed-{name}.json")
            path.write_text(json.dumps(stream))
            streams.append(path)
        return streams


def run_environment(folder: Path, cache: Path) -> dict[str, str]:
    """The environment of a run: state and cache of its own, and modules compiled once."""
    environment = {
        **os.environ,
        "OKD_PAYLOAD_STATE": str(folder / "state"),
        "OKD_PAYLOAD_CACHE": str(cache),
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


@contextlib.contextmanager
def second_registry(folder: Path) -> Iterator[str]:
    """An empty registry, gone at the end with all that it holds."""
    place = folder / "second"
    try:
        with serve_docker_registry(place) as host:
            yield host
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _generate(registry: str, path: str, components: str, out: Path, *, seed: str = "1") -> None:
    command = [
        *(sys.executable, str(GENERATOR), "--registry", registry, "--repo", path),
        *("--components", components, "--seed", seed, "--out", str(out)),
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _name(tag: dict[str, Any]) -> str:
    return str(tag.get("name") or tag.get("tag"))


def _by_name(path: Path) -> dict[str, dict[str, Any]]:
    stream = _read(path)
    return {kind: {_name(tag): tag for tag in stream[kind]["tags"]} for kind in ("spec", "status")}
