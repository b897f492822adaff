# SPDX-License-Identifier: Apache-2.0
"""What a transfer remembers from one run to the next.

It knows manifests, which are what their digests say, and which images were found whole at their
destination. The first cannot be wrong; the second is only believed until the destination is read
back, which happens in every run. So a lost, torn or stale journal costs requests and nothing else.
"""

from __future__ import annotations

from typing import Protocol

from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Manifest
from okd_payload.oci.transfer.model import PlannedImage


class Journal(Protocol):
    """A memory for transfers; nothing that it does may fail the transfer."""

    def manifest(self, digest: Digest) -> Manifest | None:
        """The manifest with ``digest``, None when it is not known."""
        ...

    def keep(self, manifest: Manifest) -> None:
        """Remember ``manifest``."""
        ...

    def is_whole(self, image: PlannedImage) -> bool:
        """Whether ``image``, its tag and its attachments were whole at their destination."""
        ...

    def note(self, image: PlannedImage, *, whole: bool) -> None:
        """Remember that ``image`` is whole at its destination, or is not any more."""
        ...


class NoJournal:
    """Remembers nothing."""

    def manifest(self, digest: Digest) -> Manifest | None:
        """None."""

    def keep(self, manifest: Manifest) -> None:
        """Do nothing."""

    def is_whole(self, image: PlannedImage) -> bool:  # noqa: ARG002 - as the protocol has it
        """False."""
        return False

    def note(self, image: PlannedImage, *, whole: bool) -> None:
        """Do nothing."""
