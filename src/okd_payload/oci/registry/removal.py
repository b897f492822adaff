# SPDX-License-Identifier: Apache-2.0
"""Removing a manifest or a tag from a registry, where the registry lets one.

By digest the manifest goes with all its tags; by tag only the tag does. Many registries know one
of the two or neither, and some have to be told to allow it: a refusal is no fault of theirs.
"""

from __future__ import annotations

from okd_payload.oci.registry.access import Right, to_push
from okd_payload.oci.registry.host import Host, Request

_REMOVED = frozenset({200, 202, 204})


async def remove(host: Host, path: str, reference: str) -> None:
    """Remove what the tag or digest ``reference`` names.

    Raises NotFound when it is not there, RegistryRefused and Unauthorized when it may not go.
    """
    request = Request(
        method="DELETE",
        target=f"/v2/{path}/manifests/{reference}",
        what=f"removing the manifest {reference} of {host.name}/{path}",
        path=path,
        access=to_push(path) | {Right("repository", path, "delete")},
        accept=_REMOVED,
    )
    await host.ask(request)
