# SPDX-License-Identifier: Apache-2.0
"""What was read once and can never mean anything else, kept on this machine.

Content by digest: manifests, configurations and other small blobs, and the files that were
extracted from layers. It is a cache and no store: it may be deleted at any time, by anybody,
whole or in part; whatever is damaged counts as absent; without room or permission work goes on
without it. Tags, existence and large layers are always the business of the place itself.

``CachedRepository`` is a ``Repository`` like the others, for commands to which it does not
matter whether a registry still has what it had. Where that is the question (``verify``,
publishing) the place itself is asked: ``docs/decisions/0012-kept-by-digest.md`` has the list.
"""

from okd_payload.oci.cache.layer_folder import read_layer_folder
from okd_payload.oci.cache.repository import CachedRepository, place_behind
from okd_payload.oci.cache.shelf import CacheReport, Shelf, Shelves

__all__ = [
    "CacheReport",
    "CachedRepository",
    "Shelf",
    "Shelves",
    "place_behind",
    "read_layer_folder",
]
