# SPDX-License-Identifier: Apache-2.0
"""What the tests of the catalog's commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from git_service import GitService, serve_git


@pytest.fixture
def git_service(tmp_path: Path) -> Iterator[GitService]:
    """Real repositories behind a real daemon."""
    with serve_git(tmp_path / "repositories") as service:
        yield service
