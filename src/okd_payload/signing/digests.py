# SPDX-License-Identifier: Apache-2.0
"""Digests as signatures are looked up by, with the grammar that clusters ask for.

It is wider than that of images: any algorithm, any length, both cases. A release that is not
named by digest cannot be verified at all.
"""

from __future__ import annotations

import re

from okd_payload.errors import InvalidReference

_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")


def digest_of(reference: str) -> str:
    """What follows the last ``@`` of a pull spec, empty for a tag."""
    return reference.rpartition("@")[2] if "@" in reference else ""


def is_verifiable(digest: str) -> bool:
    """Whether clusters look for signatures of ``digest``."""
    return _DIGEST.fullmatch(digest) is not None


def storage_name(digest: str, *, separator: str) -> str:
    """``digest`` as stores write it: ``sha256=HEX`` in folders, ``sha256-HEX`` in objects.

    Raises InvalidReference for what is no digest.
    """
    if not is_verifiable(digest):
        raise InvalidReference(
            f"{digest!r} is no digest that signatures are looked up by",
            hint="it looks like sha256:0123456789abcdef...",
        )
    return digest.replace(":", separator)
