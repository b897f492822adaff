# SPDX-License-Identifier: Apache-2.0
"""The options that say how to speak with registries, shared by all commands that do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.option_groups import option_group
from okd_payload.errors import InputError

if TYPE_CHECKING:
    from okd_payload.oci.mirrors.rules import MirrorRules
    from okd_payload.oci.registry import RegistrySettings


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
registry_options = option_group(
    click.option(
        "-a",
        "--registry-config",
        type=_FILE,
        help="The file with credentials, instead of the ordinary places.",
    ),
    click.option(
        "--certificate-authority", type=_FILE, help="Further roots to trust, for all hosts."
    ),
    click.option(
        "--plain-http",
        multiple=True,
        metavar="HOST",
        help="A host to speak to without TLS; loopback hosts need no mention.",
    ),
    click.option(
        "--insecure-host",
        multiple=True,
        metavar="HOST",
        help="A host whose certificate is not verified.",
    ),
    click.option(
        "--idms-file",
        "mirror_sets",
        multiple=True,
        type=_FILE,
        help="A file of image mirror sets: read images from these mirrors.",
    ),
    click.option(
        "--icsp-file",
        "content_policies",
        multiple=True,
        type=_FILE,
        help="The same; mirror sets had this name once.",
    ),
    click.option(
        "--registries-conf",
        multiple=True,
        type=_FILE,
        help="Read mirrors from this registries.conf, instead of the ordinary places.",
    ),
)
"""Options for credentials, certificates, plain http and mirrors; see ``registry_settings``."""


def registry_settings(options: dict[str, Any]) -> RegistrySettings:
    """Take the values of ``registry_options`` out of ``options``, as settings.

    Raises InputError for values and InvalidDocument for files that cannot be what they should.
    """
    from okd_payload.oci.registry import RegistrySettings

    auth_file = options.pop("registry_config")
    if auth_file is not None:
        _check_auth_file(auth_file)
    mirrors = _read_mirrors(
        (*options.pop("mirror_sets"), *options.pop("content_policies")),
        options.pop("registries_conf"),
    )
    return RegistrySettings(
        auth_file=auth_file,
        certificate_authority=options.pop("certificate_authority"),
        plain_http_hosts=_take_hosts(options, "plain_http"),
        insecure_hosts=_take_hosts(options, "insecure_host"),
        lenient_hosts=mirrors.lenient_hosts,
        mirrors=mirrors,
    )


def _check_auth_file(path: Path) -> None:
    """Say now what is wrong with it, not when hours later a registry asks for a login."""
    from okd_payload.oci.registry.credentials import read_auth_file

    # A pipe gives its content only once, and that is when a registry asks.
    if path.is_file():
        read_auth_file(path, required=True)


def _take_hosts(options: dict[str, Any], name: str) -> frozenset[str]:
    from okd_payload.oci.reference import is_host

    hosts: frozenset[str] = frozenset(options.pop(name))
    for host in sorted(hosts):
        if not is_host(host):
            option = f"--{name.replace('_', '-')}"
            raise InputError(
                f"{option}: {host[:200]!r} is not a host",
                hint="write HOST[:PORT], as in registry.example.com:5000",
            )
    return hosts


def _read_mirrors(mirror_sets: Sequence[Path], files: Sequence[Path]) -> MirrorRules:
    """The rules of all files: what was named on the command line counts first."""
    from okd_payload.oci.mirrors.registries_conf import read_registries_conf, standard_files
    from okd_payload.oci.mirrors.rules import join_rules

    found = [read_registries_conf(files or standard_files())]
    if mirror_sets:
        from okd_payload.oci.mirrors.openshift import read_mirror_sets

        found.insert(0, read_mirror_sets(mirror_sets))
    return join_rules(found)
