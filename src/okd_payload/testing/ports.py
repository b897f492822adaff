# SPDX-License-Identifier: Apache-2.0
"""A port of loopback that nobody else gets, for servers that cannot choose one by themselves.

A port that is looked for and let go again may be somebody else's when the server starts, which
takes seconds. A socket that is bound and does not listen keeps all others away from the port, but
for those who name it and may reuse addresses, as nearly every server may. So a server can be
started there, ended, and started again.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserve_port() -> Iterator[int]:
    """A port that is free, and stays so until the end of the block but for who names it."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]
