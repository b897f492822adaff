# SPDX-License-Identifier: Apache-2.0
"""Addresses that a cluster can keep: of releases, and of what is to be read about a risk.

One that cannot be parsed costs the cluster more than a link: it takes no update from that graph,
or cannot write down what it found. So what payloads and runs say is checked before it is passed on.
"""

from __future__ import annotations

import re

ADDRESS = (
    r"https?://[0-9A-Za-z._-]+(?::[0-9]{1,5})?"
    r"(?:[/?#](?:[^\s%\x00-\x1f\x7f]|%[0-9A-Fa-f]{2})*)?"
)
"""What an address may be, as a regular expression."""
_ADDRESS = re.compile(ADDRESS)


def is_address(text: str) -> bool:
    """Whether a cluster can parse ``text`` as an address."""
    return _ADDRESS.fullmatch(text) is not None
