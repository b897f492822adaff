# SPDX-License-Identifier: Apache-2.0
"""Directories that are laid out like a registry: what ``oc image mirror`` calls ``file://``.

``ROOT/v2/REPOSITORY/blobs/sha256:...`` holds every blob and every manifest, ``manifests/`` beside
it a second name of each manifest and one symbolic link for each tag. Such a directory can be
carried to where no network leads and be mirrored from again, by this program and by ``oc``.

It is written as carefully as a layout, with the same locks and leases: content verified on the
way in and out, in its place as a whole or not at all, blobs before manifests before tags.
"""

from okd_payload.oci.disk_registry.repository import DiskRepository

__all__ = ["DiskRepository"]
