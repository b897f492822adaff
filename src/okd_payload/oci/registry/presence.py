# SPDX-License-Identifier: Apache-2.0
"""Whether a repository has a blob: the one question that reading and writing both ask."""

from __future__ import annotations

from okd_payload.errors import NotFound
from okd_payload.oci.digest import Digest
from okd_payload.oci.registry.access import to_pull
from okd_payload.oci.registry.headers import parse_number
from okd_payload.oci.registry.host import Host, Request


async def blob_size(host: Host, path: str, digest: Digest) -> int | None:
    """The size in bytes of a blob, None when it is not there.

    A registry that does not tell the size counts as one that does not have the blob: to write
    it once more is the safe mistake.
    """
    request = Request(
        method="HEAD",
        target=f"/v2/{path}/blobs/{digest}",
        what=f"looking for the blob {host.name}/{path}@{digest}",
        path=path,
        access=to_pull(path),
        accept=frozenset({200}),
    )
    try:
        answer = await host.ask(request)
    except NotFound:
        return None
    return parse_number(answer.headers.get("Content-Length", ""))
