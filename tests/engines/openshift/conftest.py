# SPDX-License-Identifier: Apache-2.0
"""A project of an OpenShift cluster for the tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "build"))
sys.path.insert(0, str(Path(__file__).parent))

from openshift_project import OpenShiftProject

_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
async def project(tmp_path: Path) -> AsyncIterator[OpenShiftProject]:
    """A project with an image stream, its builder and an engine, all in memory."""
    definitions = _DATA / "crds" / "openshift-build-image.openapi.json"
    made = OpenShiftProject(tmp_path, definitions if definitions.is_file() else None)
    async with made.cluster:
        yield made
