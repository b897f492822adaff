# SPDX-License-Identifier: Apache-2.0
"""The registry client: the distribution API (OCI distribution-spec 1.1, docker v2) over HTTP/1.1.

``RegistryClient`` opens repositories of any registry; ``RegistrySettings`` is what a user may
decide. Importing this package loads aiohttp: import it inside the function that needs it.
"""

from okd_payload.oci.registry.client import RegistryClient, RegistryRepository
from okd_payload.oci.registry.settings import RegistrySettings, standard_certificate_folders

__all__ = [
    "RegistryClient",
    "RegistryRepository",
    "RegistrySettings",
    "standard_certificate_folders",
]
