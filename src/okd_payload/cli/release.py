# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release``: making, showing and checking releases.

Flags that ``oc adm release`` has too keep their names and their meaning.
"""

from __future__ import annotations

import click

from okd_payload.cli.release_info import info
from okd_payload.cli.release_lint import lint
from okd_payload.cli.release_new import new


@click.group()
def release() -> None:
    """Make, show and check release payloads."""


for _command in (new, info, lint):
    release.add_command(_command)
