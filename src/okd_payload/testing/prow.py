# SPDX-License-Identifier: Apache-2.0
"""Prow, as far as those who make ProwJobs meet it: it takes jobs and says how they go.

As in the recordings of the old controller, a job is triggered, then pending with a page, then
ended; tests say which job does which, and when.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster.kinds import PROW_JOB
from okd_payload.testing.kubernetes import JsonObject, MemoryCluster
from okd_payload.testing.kubernetes.documents import name_of

_PAGES = "https://prow.test/view/gs/results/logs"


class Prow:
    """Plays Prow in a simulated cluster."""

    def __init__(self, cluster: MemoryCluster) -> None:
        """ProwJobs are a kind of the cluster from now on; their status has no way of its own."""
        self._cluster = cluster
        cluster.simulated.serve(PROW_JOB, status=False)

    async def jobs(self) -> dict[str, JsonObject]:
        """All jobs by name."""
        found = await self._cluster.list(PROW_JOB)
        documents = [msgspec.json.decode(item) for item in found.items]
        return {name_of(document): document for document in documents}

    async def begin(self, name: str) -> None:
        """Run the job: it has a page now."""
        document = (await self.jobs())[name]
        url = f"{_PAGES}/{document['spec']['job']}/1"
        await self._say(name, {"state": "pending", "url": url})

    async def end(self, name: str, state: str, *, description: str = "") -> None:
        """The job has ended: ``success``, ``failure``, ``error`` or ``aborted``."""
        await self._say(name, {"state": state, "description": description})

    async def _say(self, name: str, status: JsonObject) -> None:
        content = msgspec.json.encode({"status": status})
        await self._cluster.patch(PROW_JOB, name, content)
