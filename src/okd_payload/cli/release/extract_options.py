# SPDX-License-Identifier: Apache-2.0
"""The options of ``release extract``, and which of them go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.errors import InputError

_JOBS = ("tools", "command", "credentials_requests", "file", "git")
_HERE = Path()


class ExtractOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: at most one of tools, command, credentials requests, file, git."""

    release: str
    folder: Path
    file: str = ""
    tools: bool = False
    command: str = ""
    platform: str = ""
    signing_key: str = ""
    passphrase_file: Path | None = None
    published_as: str = ""
    git: Path | None = None
    credentials_requests: bool = False
    cloud: str = ""
    included: bool = False
    install_config: Path | None = None
    output: str = ""


extract_options = option_group(
    click.option("--from", "origin", default="", metavar="RELEASE", help="The release."),
    click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Write here."),
    click.option("--file", default="", metavar="NAME", help="Print one file of the payload."),
    click.option("--tools", is_flag=True, help="Write archives of all command-line tools."),
    click.option("--command", default="", metavar="NAME", help="Write one tool as it is."),
    click.option(
        "--command-os",
        default="",
        metavar="OS[/ARCH]",
        help="What tools are for: linux, mac, windows, or * for all; by default this machine.",
    ),
    click.option(
        "--signing-key",
        default="",
        metavar="FILE_OR_ID",
        help="Sign the checksums of archives with this OpenPGP key.",
    ),
    click.option(
        "--passphrase-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Take the passphrase of a locked key from the first line of this file.",
    ),
    click.option(
        "--published-as",
        default="",
        metavar="REPOSITORY",
        help="Where clusters pull the release, when it lies elsewhere.",
    ),
    click.option(
        "--git",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Check out the source of every component below this folder.",
    ),
    click.option("--credentials-requests", is_flag=True, help="Only requests for credentials."),
    click.option("--cloud", default="", metavar="NAME", help="Only requests for this cloud."),
    click.option(
        "--included", is_flag=True, help="Only manifests for the cluster of --install-config."
    ),
    click.option(
        "--install-config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The cluster that --included is about.",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Choice(("json", "yaml", "commit")),
        help="Print what was written; with --git, commit prints folders and commits only.",
    ),
)
"""All options that only this command has; ``take_extract_options`` reads them."""


def take_extract_options(given: str | None, options: dict[str, Any]) -> ExtractOptions:
    """Take the values of ``extract_options`` out of ``options``. Raises InputError."""
    chosen = [name for name in _JOBS if options[name]]
    if len(chosen) > 1:
        raise InputError(
            "only one of --tools, --command, --credentials-requests, --file, or --git may be"
            " specified"
        )
    if options["file"] and options["to"] is not None:
        raise InputError("only one of --to and --file may be set")
    asked = ExtractOptions(
        release=_choose_release(given or "", options.pop("origin")),
        folder=options.pop("to") or _HERE,
        platform=options.pop("command_os"),
        output=options.pop("output") or "",
        **{
            name: options.pop(name)
            for name in (*_JOBS, "signing_key", "published_as", "cloud", "included")
        },
        passphrase_file=options.pop("passphrase_file"),
        install_config=options.pop("install_config"),
    )
    _check_selection(asked)
    _check_tools(asked)
    if asked.output == "commit" and not asked.git:
        raise InputError("--output commit is only supported with --git")
    if asked.output and asked.file:
        raise InputError("--file prints the file, so there is nothing else to print")
    return asked


def _choose_release(given: str, origin: str) -> str:
    if given and origin:
        raise InputError("give the release as an argument or with --from, not both")
    if not (given or origin):
        raise InputError(
            "a release is needed",
            hint="give a pull spec, oci:DIR:TAG, a folder, or the name of a release",
        )
    return given or origin


def _check_selection(asked: ExtractOptions) -> None:
    if asked.cloud and not (asked.credentials_requests or asked.included):
        raise InputError("--cloud is only supported with --credentials-requests or --included")
    if asked.install_config and not asked.included:
        raise InputError("--install-config is only supported with --included")
    if not asked.included:
        return
    if asked.tools or asked.command or asked.file or asked.git:
        raise InputError("--included is about manifests, and goes with none of the other jobs")
    if not asked.install_config:
        raise InputError(
            "--included needs to know the cluster, and no cluster is asked here",
            hint="describe it with --install-config FILE: apiVersion, platform, featureSet and"
            " capabilities are enough",
        )


def _check_tools(asked: ExtractOptions) -> None:
    for_tools = {
        "--command-os": asked.platform,
        "--signing-key": asked.signing_key,
        "--published-as": asked.published_as,
    }
    for name, value in for_tools.items():
        if value and not (asked.tools or asked.command):
            raise InputError(f"{name} is only supported with --tools or --command")
    if asked.passphrase_file and not asked.signing_key:
        raise InputError("--passphrase-file is only supported with --signing-key")
    if asked.signing_key and asked.command and asked.platform != "*":
        raise InputError(
            "--signing-key signs the checksums of archives, and --command writes none",
            hint="use --tools, or --command-os '*'",
        )
