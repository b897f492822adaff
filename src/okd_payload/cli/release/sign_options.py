# SPDX-License-Identifier: Apache-2.0
"""What ``release sign`` may be told besides its keys: the claim, and where signatures go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.release.signing_options import read_secret_line
from okd_payload.errors import InputError


class Destinations(msgspec.Struct, frozen=True, kw_only=True):
    """Where signatures are to be put."""

    stores: tuple[str, ...] = ()
    token_file: Path | None = None
    config_map: Path | None = None
    file: Path | None = None

    def check(self) -> None:
        """Raises InputError when there is none."""
        if not (self.stores or self.config_map or self.file):
            raise InputError(
                "nothing says where the signatures shall be put",
                hint="name a store with --to-store, a file with --to-config-map or --signature",
            )

    @property
    def token(self) -> str:
        """What stores on the web ask writers for; empty when none was given."""
        if self.token_file:
            return read_secret_line(self.token_file)
        return os.environ.get("OKD_PAYLOAD_STORE_TOKEN", "")


sign_options = option_group(
    click.option(
        "--identity",
        metavar="REFERENCE",
        help="The repository that the release will be published in; by default where it is.",
    ),
    click.option("--creator", default="", help="Who makes the signature; by default this program."),
    click.option(
        "--timestamp",
        type=click.IntRange(min=0),
        envvar="SOURCE_DATE_EPOCH",
        metavar="SECONDS",
        help="The time in the signature, in seconds since 1970; by default now.",
    ),
    click.option(
        "--to-store",
        "stores",
        multiple=True,
        metavar="DIR_OR_URL",
        help="Add the signatures to the store in this folder, or on this web server.",
    ),
    click.option(
        "--store-token-file",
        "token_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The bearer token for stores on the web.",
    ),
    click.option(
        "--to-config-map",
        "config_map",
        type=click.Path(path_type=Path),
        metavar="FILE_OR_DIR",
        help="Write the signatures as ConfigMaps for clusters without a way to any store.",
    ),
    click.option(
        "--signature",
        "file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the only signature to this file.",
    ),
)
"""The options of the command, but for keys and registries."""


def take_destinations(options: dict[str, Any]) -> Destinations:
    """Take where signatures go out of ``options``. Raises InputError when that is nowhere."""
    destinations = Destinations(
        **{name: options.pop(name) for name in Destinations.__struct_fields__}
    )
    destinations.check()
    return destinations
