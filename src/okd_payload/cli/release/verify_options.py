# SPDX-License-Identifier: Apache-2.0
"""What ``release verify`` may be told: whom to trust, and what to look at besides images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.errors import InputError
from okd_payload.oci.reference import Reference, parse_reference


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the options say."""

    keys: tuple[Path, ...] = ()
    key_rings: tuple[Path, ...] = ()
    stores: tuple[str, ...] = ()
    signatures: tuple[Path, ...] = ()
    published_as: str | None = None
    require_signature: bool | None = None
    artifacts: Path | None = None
    list_attachments: bool = False
    read_blobs: bool = False

    @property
    def published(self) -> Reference | None:
        """Where the release is published, when that is said. Raises InvalidReference."""
        return parse_reference(self.published_as) if self.published_as else None

    def check(self) -> None:
        """Raises InputError when an option says nothing without another."""
        trusts = self.keys or self.key_rings
        if (self.stores or self.signatures) and not trusts:
            raise InputError(
                "signatures can only be judged with keys that you trust",
                hint="name a key with --key, or a key ring with --keyring",
            )
        if self.require_signature and not trusts:
            raise InputError("--require-signature goes with --key or --keyring")
        _ = self.published


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
verify_options = option_group(
    click.option(
        "--key",
        "keys",
        multiple=True,
        type=_FILE,
        help="Trust this OpenPGP public key; of several, any suffices.",
    ),
    click.option(
        "--keyring",
        "key_rings",
        multiple=True,
        type=_FILE,
        help="Trust a cluster's ConfigMap with keys: all of its entries must be satisfied.",
    ),
    click.option(
        "--signature-store",
        "stores",
        multiple=True,
        metavar="DIR_OR_URL",
        help="Look for signatures here, instead of where key ring or release say.",
    ),
    click.option(
        "--signature",
        "signatures",
        multiple=True,
        type=_FILE,
        help="A signature, or a ConfigMap with signatures (.json, .yaml).",
    ),
    click.option(
        "--published-as",
        metavar="REFERENCE",
        help="What signatures must call the release; by default where it is.",
    ),
    click.option(
        "--require-signature/--no-require-signature",
        default=None,
        help="Whether a missing signature is an error; with keys it is.",
    ),
    click.option(
        "--artifacts",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Compare the archives in this folder with their sha256sum.txt.",
    ),
    click.option(
        "--list-attachments",
        is_flag=True,
        help="List sigstore signatures and other attachments; they are not verified.",
    ),
    click.option(
        "--read-blobs", is_flag=True, help="Read every layer and compare it with its digest."
    ),
    click.option("--permit", multiple=True, metavar="CODE", help="A kind of issue to accept."),
)
"""The options of the command, but for those about registries."""


def take_asked(options: dict[str, Any]) -> Asked:
    """Take the values of ``verify_options`` out of ``options``. Raises InputError."""
    asked = Asked(**{name: options.pop(name) for name in Asked.__struct_fields__})
    asked.check()
    return asked
