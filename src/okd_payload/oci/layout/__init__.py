# SPDX-License-Identifier: Apache-2.0
"""OCI image layout directories: images on a disk, shared by any number of processes.

What is promised, also when any process is killed at any instruction and others go on:

- A blob is there whole or not at all, and is verified whenever it is read.
- A tag leads to an image that is whole; it changes from one image to the next in one step.
- What a killed process left half-written is removed by the next one that writes.
- ``collect_garbage`` removes only what no tag and no live writer leads to.

Other programs (skopeo, buildah, podman, oras) read the same folder, as ``oci:PATH:TAG``.
"""

from okd_payload.oci.layout.garbage import GarbageReport
from okd_payload.oci.layout.repository import LayoutRepository

__all__ = ["GarbageReport", "LayoutRepository"]
