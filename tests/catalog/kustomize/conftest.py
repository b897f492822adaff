# SPDX-License-Identifier: Apache-2.0
"""Kustomizations written on the spot, and kubectl to compare with."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from okd_payload.catalog.kustomize import Rendering, render_kustomization
from okd_payload.documents import parse_documents

Render = Callable[..., Rendering]
KubectlKustomize = Callable[[Path], list[Any] | None]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Writes files, ``/`` and all in their names, and renders the folder ``at``."""

    def write_and_render(files: dict[str, str], at: str = ".") -> Rendering:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return render_kustomization(tmp_path / at)

    return write_and_render


@pytest.fixture
def patched(render: Render) -> Callable[..., Any]:
    """Applies a patch in a file of its own to one object, and gives the object's value."""

    def apply(value: str, patch: str, target: str = "target: {name: a}") -> Any:
        files = {
            "kustomization.yaml": f"resources: [a.yaml]\npatches:\n- path: p.yaml\n  {target}\n",
            "a.yaml": value,
            "p.yaml": patch,
        }
        rendering = render(files)
        assert not rendering.issues
        return rendering.objects[0].document.value if rendering.objects else None

    return apply


@pytest.fixture(scope="session")
def kubectl_kustomize() -> KubectlKustomize:
    """What kubectl makes of a kustomization, None when it refuses; skipped without kubectl."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed")

    def run(folder: Path) -> list[Any] | None:
        done = subprocess.run([program, "kustomize", str(folder)], capture_output=True, check=False)
        if done.returncode:
            return None
        return [each.value for each in parse_documents(done.stdout, path="kubectl")]

    return run
