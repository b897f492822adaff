# SPDX-License-Identifier: Apache-2.0
"""A shared library and what depends on it, each in a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from impact_rig import API, CONFIG, ROUTE, Rig, program

from okd_payload.testing.go_forge import go_component, go_library


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A library, two programs with copies of it, one without, and images on top of each other."""
    rig = Rig(tmp_path)
    rig.api.commit(go_library(API, {"config": CONFIG, "route": ROUTE}))
    rig.add(
        "etcd-operator",
        go_component(
            "github.com/openshift/etcd-operator",
            program(f"{API}/config", call="config.Name()"),
            [rig.vendoring("config")],
        ),
    )
    rig.add(
        "router",
        go_component(
            "github.com/openshift/router",
            program(f"{API}/route", call="route.Host()"),
            [rig.vendoring("route", indirect=True)],
        ),
    )
    rig.add("docs", {"README": "no Go"}, dockerfile="FROM scratch\nCOPY . /\n")
    rig.add("tests", {"t": "t"}, dockerfile="FROM router\nCOPY --from=etcd-operator /main /m\n")
    rig.add("more-tests", {"t": "t"}, dockerfile="FROM tests\n")
    return rig
