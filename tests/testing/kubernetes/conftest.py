# SPDX-License-Identifier: Apache-2.0
"""Where the tests of the simulated cluster find what they share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def definitions(shared_data):
    """The definitions of Tekton, Shipwright and OpenShift."""
    folder = shared_data / "crds"
    names = ("tekton-pipelines", "tekton-triggers", "shipwright")
    return [*(folder / name for name in names), folder / "openshift-build-image.openapi.json"]
