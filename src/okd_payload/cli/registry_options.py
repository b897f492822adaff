# SPDX-License-Identifier: Apache-2.0
"""The options that say how to speak with registries, shared by all commands that do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings

Function = TypeVar("Function", bound=Callable[..., Any])


def registry_options(function: Function) -> Function:
    """Options for credentials, certificates and plain http; see ``registry_settings``."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    options = [
        click.option(
            "-a",
            "--registry-config",
            type=file,
            help="The file with credentials, instead of the ordinary places.",
        ),
        click.option(
            "--certificate-authority", type=file, help="Further roots to trust, for all hosts."
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
    ]
    for option in reversed(options):
        function = option(function)
    return function


def registry_settings(options: dict[str, Any]) -> RegistrySettings:
    """Take the values of ``registry_options`` out of ``options``, as settings."""
    from okd_payload.oci.registry import RegistrySettings

    return RegistrySettings(
        auth_file=options.pop("registry_config"),
        certificate_authority=options.pop("certificate_authority"),
        plain_http_hosts=frozenset(options.pop("plain_http")),
        insecure_hosts=frozenset(options.pop("insecure_host")),
    )
