# SPDX-License-Identifier: Apache-2.0
"""The registry client: the distribution API (OCI distribution-spec 1.1, docker v2) over HTTP/1.1.

``RegistryClient`` opens repositories of any registry; ``RegistrySettings`` is what a user may
decide. The client is imported when it is first named: settings are made by commands that may
never speak with a registry.
"""

from typing import TYPE_CHECKING

from okd_payload.oci.registry.settings import RegistrySettings, standard_certificate_folders

if TYPE_CHECKING:
    from okd_payload.oci.registry.client import RegistryClient, RegistryRepository

__all__ = [
    "RegistryClient",
    "RegistryRepository",
    "RegistrySettings",
    "standard_certificate_folders",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from okd_payload.oci.registry import client

    return getattr(client, name)
