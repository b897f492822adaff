# SPDX-License-Identifier: Apache-2.0
"""The style, the script and the picture of the pages, under names that change with them.

A name with the hash of its content may be kept for ever by whoever fetched it, so a page costs
one request once its style is known, and no page ever meets the style of another version.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import PurePosixPath

import msgspec

PREFIX = "/static/pages/"
FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file that pages load."""

    name: str
    """With the hash."""
    content: bytes
    media_type: str


def read_assets() -> dict[str, Asset]:
    """The files by the names that templates call them."""
    found = {}
    folder = resources.files("okd_payload.web.pages") / "static"
    for entry in folder.iterdir():
        path = PurePosixPath(entry.name)
        if path.suffix not in _TYPES:
            continue
        content = entry.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        found[entry.name] = Asset(
            name=f"{path.stem}.{digest}{path.suffix}",
            content=content,
            media_type=_TYPES[path.suffix],
        )
    return found
