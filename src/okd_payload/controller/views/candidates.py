# SPDX-License-Identifier: Apache-2.0
"""What the candidates for a promotion are found from, read at one moment."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from okd_payload.controller.graph.candidates import Candidate, find_candidates
from okd_payload.controller.records import payloads, releases, streams


def read_candidates(
    connection: Connection, stream: str, stable: Sequence[str], *, mirror_prefix: str = ""
) -> list[Candidate] | None:
    """The candidates of ``stream`` for the streams called ``stable``, the newest first.

    None when none of those is known to come from ``stream``.
    """
    promoted = [release for name in stable for release in releases.list_of(connection, name)]
    return find_candidates(
        releases.list_of(connection, stream),
        stable=promoted,
        facts=payloads.list_all(connection, stable) if stable else {},
        edges=streams.read_edges(connection),
        mirror_prefix=mirror_prefix,
    )
