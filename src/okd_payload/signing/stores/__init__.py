# SPDX-License-Identifier: Apache-2.0
"""Where signatures of releases are kept, and how clusters look for them there.

``SignatureStore`` is the seam (``search``). A store tells what it found and what went wrong, in
the order in which it looked, and leaves the judgement to ``verification``:

* ``DirectoryStore``: ``sha256=HEX/signature-N`` in a folder;
* ``WebStore``: the same over http and https;
* ``ConfigMapStore``: ``binaryData`` of ConfigMaps;
* ``CombinedStore``: several of them, one after the other;
* ``testing.MemorySignatureStore``: the twin.

``open_store`` makes one of an address, ``open_stores`` those of a payload's configuration.
"""

from okd_payload.signing.stores.combined import CombinedStore, open_store, open_stores
from okd_payload.signing.stores.config_maps import ConfigMapStore, read_config_maps
from okd_payload.signing.stores.directory import DirectoryStore
from okd_payload.signing.stores.model import (
    FoundSignature,
    SearchProblem,
    SignatureStore,
    read_signatures,
)
from okd_payload.signing.stores.web import WebStore

__all__ = [
    "CombinedStore",
    "ConfigMapStore",
    "DirectoryStore",
    "FoundSignature",
    "SearchProblem",
    "SignatureStore",
    "WebStore",
    "open_store",
    "open_stores",
    "read_config_maps",
    "read_signatures",
]
