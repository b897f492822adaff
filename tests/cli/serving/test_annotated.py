# SPDX-License-Identifier: Apache-2.0
"""A server follows streams of files and of a cluster's image streams beside each other."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from okd_payload.cli.serving.assembly import ControllerOptions, open_surroundings
from okd_payload.cluster import kinds
from okd_payload.controller.configuration.cluster import ANNOTATION
from okd_payload.errors import InputError
from okd_payload.progress import ignore_progress
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.openshift import ImageStreams, serve_openshift

FILE = """\
apiVersion: okd-payload.io/v1
kind: ReleaseStream
name: ours
input: {repository: quay.test/a}
content: quay.test/b
releases: quay.test/c
"""


def services(folder: Path) -> Any:
    """What a controller needs of the services of a command."""
    return SimpleNamespace(
        locations=SimpleNamespace(state=folder / "state"),
        clock=ManualClock(),
        tell=ignore_progress,
        open_location=None,
        open_target=None,
    )


def options(folder: Path) -> ControllerOptions:
    """A folder with one stream, and a namespace."""
    (folder / "streams").mkdir()
    (folder / "streams" / "ours.yaml").write_text(FILE)
    return ControllerOptions(streams=folder / "streams", annotated=("origin",))


async def test_streams_of_image_streams_are_followed_too(tmp_path: Path) -> None:
    """As their annotations configure them."""
    simulated = SimulatedCluster()
    serve_openshift(simulated)
    cluster = MemoryCluster("origin", cluster=simulated)
    ImageStreams(simulated).add("origin", "release-scos", public="registry.test/origin/release")
    text = '{"name": "4-scos-stable", "as": "Stable"}'
    change = msgspec.json.encode({"metadata": {"annotations": {ANNOTATION: text}}})
    await cluster.patch(kinds.IMAGE_STREAM, "release-scos", change, namespace="origin")
    async with open_surroundings(options(tmp_path), services(tmp_path), cluster) as surroundings:
        found = surroundings.configurations()
    assert set(found) == {"ours", "4-scos-stable"}
    assert found["4-scos-stable"].releases == "registry.test/origin/release"


async def test_without_a_cluster_that_is_refused(tmp_path: Path) -> None:
    """With the option that names one."""
    with pytest.raises(InputError, match="none is known here"):
        async with open_surroundings(options(tmp_path), services(tmp_path)):
            pytest.fail("it began")
