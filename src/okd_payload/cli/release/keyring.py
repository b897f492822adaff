# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release keyring``: the keys by which clusters trust later releases."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from okd_payload.cli.issues import print_issues
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError
from okd_payload.issues import Issue, Permit, apply_permits
from okd_payload.release.output_file import write_output
from okd_payload.release.sign.certificates import read_key_file
from okd_payload.release.sign.check_keyring import DescribedKey, check_key_ring, describe_keys
from okd_payload.release.sign.keyring import (
    KeyRingManifest,
    encode_key_ring,
    read_key_ring_manifest,
)

_DEFAULT_NAME = "release"
_REASON = "permitted on the command line"


class PrintedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: any of its keys satisfies it."""

    name: str
    keys: tuple[DescribedKey, ...]


class PrintedKeyRing(msgspec.Struct, frozen=True, kw_only=True):
    """What ``-o json`` prints."""

    sound: bool
    entries: tuple[PrintedEntry, ...]
    stores: dict[str, str]
    issues: tuple[Issue, ...]


_keyring_options = option_group(
    click.option(
        "--key",
        "keys",
        multiple=True,
        metavar="[NAME=]FILE",
        help="Add the public keys in this file to the entry of this name.",
    ),
    click.option(
        "--store",
        "stores",
        multiple=True,
        metavar="[NAME=]URL",
        help="Let clusters look for signatures here.",
    ),
    click.option(
        "--add-to",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Begin with the keys and stores of this ConfigMap.",
    ),
    click.option(
        "--remove",
        multiple=True,
        metavar="FINGERPRINT",
        help="Leave this key away.",
    ),
    click.option(
        "--to",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the ConfigMap to this file instead of printing it.",
    ),
    click.option("--permit", multiple=True, metavar="CODE", help="A kind of issue to accept."),
    output_option("json", "yaml"),
)


@click.command()
@_keyring_options
@click.pass_obj
def keyring(
    settings: Settings,
    /,
    *,
    keys: tuple[str, ...],
    stores: tuple[str, ...],
    add_to: Path | None,
    remove: tuple[str, ...],
    to: Path | None,
    permit: tuple[str, ...],
    output: str | None,
) -> int:
    """Write the ConfigMap with keys and stores that an image cluster-update-keys ships.

    It is checked by the rules of clusters, and not written when one of its keys would be lost.
    With -o it is described instead of printed.
    """
    ring = _make(keys, stores, add_to, remove=remove)
    found = check_key_ring(ring, now=datetime.fromtimestamp(time.time(), UTC))
    issues = apply_permits(found, [Permit(code=code, reason=_REASON) for code in permit])
    sound = not any(issue.blocks for issue in issues)
    if output:
        print_document(_describe(ring, issues, sound=sound), output)
    else:
        print_issues(issues, settings)
    if not sound:
        return 1
    if to:
        write_output(to, encode_key_ring(ring))
    elif not output:
        click.echo(encode_key_ring(ring).decode(), nl=False)
    return 0


def _make(
    keys: tuple[str, ...], stores: tuple[str, ...], add_to: Path | None, *, remove: tuple[str, ...]
) -> KeyRingManifest:
    if not keys and add_to is None:
        raise InputError(
            "a key ring needs a key",
            hint="name a public key with --key FILE, or a key ring to begin with: --add-to FILE",
        )
    ring = read_key_ring_manifest(add_to) if add_to else KeyRingManifest()
    for text in keys:
        name, path = _split(text)
        ring = ring.with_keys(name or _DEFAULT_NAME, read_key_file(Path(path)))
    for text in stores:
        name, url = _split(text)
        ring = ring.with_store(name or _next_name(ring.stores), url)
    for fingerprint in remove:
        ring = ring.without_key(fingerprint)
    return ring


def _split(text: str) -> tuple[str, str]:
    """The name before the first ``=``, where what stands there is one."""
    name, equals, rest = text.partition("=")
    if equals and name and all(letter.isalnum() or letter in "-_." for letter in name):
        return name, rest
    return "", text


def _next_name(stores: Mapping[str, str]) -> str:
    """A name that no store has yet."""
    number = 1
    while (name := f"{_DEFAULT_NAME}-{number}" if number > 1 else _DEFAULT_NAME) in stores:
        number += 1
    return name


def _describe(ring: KeyRingManifest, issues: list[Issue], *, sound: bool) -> PrintedKeyRing:
    return PrintedKeyRing(
        sound=sound,
        entries=tuple(
            PrintedEntry(name=name, keys=tuple(describe_keys(keys)))
            for name, keys in sorted(ring.entries.items())
        ),
        stores=dict(sorted(ring.stores.items())),
        issues=tuple(issues),
    )
