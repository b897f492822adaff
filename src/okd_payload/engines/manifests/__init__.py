# SPDX-License-Identifier: Apache-2.0
"""Objects of Kubernetes as values, and the files that hold them.

Shared by everything that renders or applies objects. What is written here is read by kubectl,
kustomize, Argo CD and people in a diff, so equal objects are equal bytes, on every machine.
"""

from okd_payload.engines.manifests.folder import TextFile, write_folder
from okd_payload.engines.manifests.kustomization import (
    Kustomization,
    Patch,
    PatchTarget,
    make_kustomization,
)
from okd_payload.engines.manifests.manifest import (
    Manifest,
    ManifestLimit,
    Metadata,
    OwnerReference,
    Part,
    encode_manifest,
)
from okd_payload.engines.manifests.yaml_text import write_documents

__all__ = [
    "Kustomization",
    "Manifest",
    "ManifestLimit",
    "Metadata",
    "OwnerReference",
    "Part",
    "Patch",
    "PatchTarget",
    "TextFile",
    "encode_manifest",
    "make_kustomization",
    "write_documents",
    "write_folder",
]
