# SPDX-License-Identifier: Apache-2.0
"""The two folders of an unpacked payload, as the operator finds them on its disk."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class PayloadFolder(msgspec.Struct, frozen=True, kw_only=True):
    """What lies directly in one of the folders; links are followed already."""

    files: Mapping[str, bytes] = {}
    folders: frozenset[str] = frozenset()
    broken: Mapping[str, str] = {}
    """What cannot be read, with the system's reason: links into nothing or to a folder."""


class PayloadTree(msgspec.Struct, frozen=True, kw_only=True):
    """A payload: what the operator ships of its own, and what the release brings."""

    own: PayloadFolder | None
    """``/manifests`` of the operator's image; None when the image has no such folder."""
    release: PayloadFolder | None
    """``/release-manifests``; None when the image has no such folder."""
