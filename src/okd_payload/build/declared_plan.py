# SPDX-License-Identifier: Apache-2.0
"""A plan of declared edges, for those who cannot or will not read any source.

Every component stands on its base and on the inputs that its definition names. A Dockerfile that
stands in the definition is read; of all others it is told, once, that they were not.
"""

from __future__ import annotations

import msgspec

from okd_payload.build.codes import DECLARED_EDGES
from okd_payload.build.dockerfiles import DockerfileReader
from okd_payload.build.inputs import Inputs
from okd_payload.build.plan import Plan
from okd_payload.build.planner import make_plan
from okd_payload.catalog.catalog import Catalog
from okd_payload.issues import apply_permits
from okd_payload.oci.manifest import Platform


def declared_plan(catalog: Catalog, *, platform: Platform) -> Plan:
    """The plan of ``catalog`` as its definitions say; nothing is asked of any server."""
    inline = {
        component.name: component.dockerfile.encode()
        for component in catalog.components
        if component.dockerfile is not None
    }
    plan = make_plan(catalog, Inputs(dockerfiles=inline), reader=DockerfileReader(platform))
    issues = plan.issues
    unread = sum(node.dockerfile is None for node in plan.components)
    if unread:
        told = DECLARED_EDGES.issue(
            f"the Dockerfiles of {unread} components were not read",
            hint="render from a snapshot or with --lock for the true edges",
        )
        issues = (*issues, told)
    permitted = tuple(apply_permits(issues, catalog.stream.permits))
    return msgspec.structs.replace(plan, issues=permitted)
