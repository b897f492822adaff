# SPDX-License-Identifier: Apache-2.0
"""A component as defined, before the stream says anything about it."""

from __future__ import annotations

import msgspec

from okd_payload.catalog.component import Component


class Definition(msgspec.Struct, frozen=True):
    """A component, and whether its git ref stays when the stream names a branch."""

    component: Component
    pinned: bool = False
