# SPDX-License-Identifier: Apache-2.0
"""The table of rights is enough for OpenShift Builds: whoever has nothing else builds a stream."""

from __future__ import annotations

from streams import write_stream
from workshop import from_git

from okd_payload.build.job import JobOptions
from okd_payload.engines.pod.rights import OPENSHIFT
from okd_payload.testing.kubernetes import MemoryCluster

USER = "system:serviceaccount:okd:me"


async def test_the_rights_of_the_table_suffice(project):
    """Nothing that a build does on the cluster needs another right, its log included."""
    for right in OPENSHIFT:
        group = f".{right.kind.group}" if right.kind.group else ""
        plural, slash, part = right.resource.partition("/")
        name = f"{plural}{group}{slash}{part}"
        project.simulated.access.grant(USER, list(right.verbs), [name])
    project.cluster = MemoryCluster("okd", cluster=project.simulated, user=USER)
    project.put("base", "FROM scratch\nCOPY a /\n", {"a": "1"})
    catalog = write_stream(project.path / "stream", {"base": from_git("base")})
    frozen = await project.freeze(catalog)
    async with project.new_engine().opened() as engine:
        outcome = await project.carry_out(
            frozen, project.maker_with(catalog, engine), options=JobOptions(jobs=1)
        )
    assert outcome.is_complete
    assert (outcome.folder / "logs" / "base.log").read_text().endswith("built base\n")
