# SPDX-License-Identifier: Apache-2.0
"""What objects of a cluster are called: the run's name, or a shorter one that nobody else has.

Names of more than 63 characters are cut, and a hash of the whole takes the place of what is cut
off; what tells one attempt from another stays at the end. It is exactly the rule of OpenShift's
release controller, so that tools which go from a release to its jobs find ours.
"""

from __future__ import annotations

import base64
import hashlib
import re

MAX_NAME = 63
_HASHED_BYTES = 4
_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "bcdfghijklmnpqrstvwxyz0123456789")
"""From the letters of base 32 to those that stand for them in names."""
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9_.-]")


def object_name(base: str, suffix: str = "") -> str:
    """``base-suffix``, as it is or with ``base`` cut and a hash of it before the suffix."""
    end = f"-{suffix}" if suffix else ""
    if len(base) + len(end) <= MAX_NAME:
        return base + end
    digest = hashlib.sha256(base.encode()).digest()[:_HASHED_BYTES]
    code = base64.b32encode(digest).decode().rstrip("=").translate(_LETTERS)
    end = f"-{code}{end}"
    return base[: MAX_NAME - len(end)].removesuffix("-") + end


def label_value(text: str) -> str:
    """``text`` as the value of a label: cut, and without what labels cannot hold."""
    return _NOT_IN_LABELS.sub("-", text)[:MAX_NAME].strip("-_.")
