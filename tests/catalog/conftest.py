# SPDX-License-Identifier: Apache-2.0
"""Streams written on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog

Load = Callable[..., Catalog]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes a stream file and the files beside it, and loads the catalog."""

    def write_and_load(stream: str = "", **files: str) -> Catalog:
        (tmp_path / "components").mkdir(exist_ok=True)
        for name, text in files.items():
            (tmp_path / "components" / f"{name.replace('_', '-')}.yaml").write_text(text)
        head = "name: demo\ncatalog: [{components: components}]\n"
        (tmp_path / "stream.yaml").write_text(stream if "catalog:" in stream else head + stream)
        return load_catalog(tmp_path)

    return write_and_load
