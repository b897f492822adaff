# SPDX-License-Identifier: Apache-2.0
"""The socket that requests are answered at."""

from __future__ import annotations

import socket

from okd_payload.cli.serving.http import listen


def test_answers_are_sent_at_once() -> None:
    """No body waits for the acknowledgement of its head, which clients send forty ms later."""
    with listen("127.0.0.1", 0) as opened, socket.create_connection(opened.getsockname()):
        accepted, _ = opened.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
