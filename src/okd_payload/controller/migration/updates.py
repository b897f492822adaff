# SPDX-License-Identifier: Apache-2.0
"""Tested updates of the old controller: its stored graph, and the jobs of Prow that feed it.

The graph is a list of updates with the runs of each, by address and state (section 3.1 of our
reference on the release controller): it knows neither times nor names of jobs, so a run is known
by its address. Jobs fill in what is newer; a result that is final stays. Results of releases that
nobody takes over are kept, too: clusters may run them.
"""

from __future__ import annotations

from collections.abc import Iterable

from okd_payload.controller.migration.objects import PREFIX, ProwJob, StoredUpdate
from okd_payload.controller.migration.releases import seconds_of
from okd_payload.controller.model import Edge, RunState

ADDRESS = "https://prow.ci.openshift.org/view/gs/test-platform-results/logs"
"""What the stored graph leaves out of the addresses of runs."""
_STATES = {
    "success": RunState.SUCCEEDED,
    "failure": RunState.FAILED,
    "error": RunState.ERROR,
    "aborted": RunState.ABORTED,
    "pending": RunState.RUNNING,
}
_STORED = {"Succeeded": RunState.SUCCEEDED, "Failed": RunState.FAILED}


def find_edges(
    updates: Iterable[StoredUpdate],
    jobs: Iterable[ProwJob],
    *,
    architecture: str = "amd64",
    address: str = ADDRESS,
) -> list[Edge]:
    """The runs of updates; what ended once is not open again in an older place."""
    stored = [
        Edge(
            source=update.source,
            target=update.target,
            run=url,
            url=url,
            state=_STORED.get(run.state, RunState.RUNNING),
            time=0.0,
        )
        for update in updates
        for run in update.results or ()
        for url in (f"{address}{run.url}" if run.url.startswith("/") else run.url,)
    ]
    followed = [edge for job in jobs for edge in _of_job(job, architecture)]
    found: dict[tuple[str, str, str], Edge] = {}
    for edge in (*stored, *followed):
        key = (edge.source, edge.target, edge.run)
        if key not in found or not found[key].state.is_final:
            found[key] = edge
    return list(found.values())


def _of_job(job: ProwJob, architecture: str) -> list[Edge]:
    metadata, status = job.metadata, job.status
    source, target = metadata.annotation("from-tag"), metadata.annotation("tag")
    followed = (metadata.labels or {}).get(f"{PREFIX}verify") == "true"
    if not (source and target and followed):
        return []
    if metadata.annotation("architecture") != architecture:
        return []
    return [
        Edge(
            source=source,
            target=target,
            run=status.url or metadata.name,
            url=status.url,
            state=_STATES.get(status.state, RunState.QUEUED),
            time=seconds_of(status.completion_time or status.start_time or "") or 0.0,
        )
    ]
