# SPDX-License-Identifier: Apache-2.0
"""Databases of one test on the server that all tests share, empty or with a past."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.sql import SQL, Identifier


@contextmanager
def create_database(server: str, *, template: str = "") -> Iterator[str]:
    """The URL of a new database on the server at ``server``, which is gone at the end.

    It is empty, or a copy of the one at ``template``, to which nobody may be connected.
    """
    name, origin = f"own_{uuid.uuid4().hex}", template.rpartition("/")[2] or "template0"
    with psycopg.connect(server.replace("+psycopg", "", 1), autocommit=True) as connection:
        made, copied = Identifier(name), Identifier(origin)
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(made, copied))
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(made))
