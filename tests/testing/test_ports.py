# SPDX-License-Identifier: Apache-2.0
"""Ports that are kept free for servers which start later, or anew."""

from __future__ import annotations

import socket

import pytest

from okd_payload.testing.ports import reserve_port


def test_a_server_can_be_started_again_and_again() -> None:
    """Whoever names the port gets it, and until then nobody answers there."""
    with reserve_port() as port:
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
            with (
                socket.create_server(("127.0.0.1", port)) as server,
                socket.create_connection(("127.0.0.1", port)) as client,
            ):
                server.accept()[0].close()
                assert client.recv(1) == b""


def test_nobody_gets_the_port_by_chance() -> None:
    """Not even whoever names it and does not say that addresses may be reused."""
    with (
        reserve_port() as port,
        socket.socket() as other,
        pytest.raises(OSError, match="Address already in use"),
    ):
        other.bind(("127.0.0.1", port))
