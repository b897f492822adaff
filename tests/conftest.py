# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from okd_payload.testing.docker_registry import serve_docker_registry
from okd_payload.testing.postgresql import postgresql_folder, serve_postgresql

# What a test may take depends on what else this machine does. The same examples every time keep
# a change from failing for what it did not touch; new ones are looked for by `make thorough`.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("patient", _UNHURRIED, max_examples=40, derandomize=True)
settings.register_profile("thorough", _UNHURRIED, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))

# Shells let what they start in the background ignore Control-C, and all that is started below it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_ONLY_WHEN_ASKED_FOR = ("debian", "endurance")
_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs and recordings beside the repository; without them the test is skipped."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("the folder of real inputs and recordings is not beside this repository")
    return _SHARED_DATA


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of the real docker-registry; tests keep to repositories of their own."""
    with serve_docker_registry(tmp_path_factory.mktemp("docker-registry")) as host:
        yield host


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server that tests share: they empty it, or make databases of their own."""
    with postgresql_folder() as folder, serve_postgresql(folder) as server:
        yield server.url


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long or needs Debian's archive, unless ``-m`` asks for it."""
    for marker in _ONLY_WHEN_ASKED_FOR:
        if marker not in config.getoption("markexpr"):
            left_out = [item for item in items if item.get_closest_marker(marker)]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]
