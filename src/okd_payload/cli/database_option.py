# SPDX-License-Identifier: Apache-2.0
"""The option that says where a controller's records are, for those who keep them.

Who only looks or acts names a server first, and has a ``--database`` of another meaning.
"""

from __future__ import annotations

import click

DATABASE_VARIABLE = "OKD_PAYLOAD_DATABASE"

database_option = click.option(
    "--database",
    default="",
    envvar=DATABASE_VARIABLE,
    metavar="URL",
    help="Where the records are; by default SQLite in the state folder.",
)
