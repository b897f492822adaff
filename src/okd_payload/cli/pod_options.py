# SPDX-License-Identifier: Apache-2.0
"""The options that say how pods run the tool, shared by all commands that make or write pods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from okd_payload.engines.pod.image import IMAGE_VARIABLE
from okd_payload.engines.pod.security import SecurityProfile

Function = TypeVar("Function", bound=Callable[..., Any])

image_option = click.option(
    "--image",
    default="",
    metavar="PULLSPEC",
    help=f"The image of okd-payload that pods run; else {IMAGE_VARIABLE}, or the public one of "
    "this version.",
)
service_account_option = click.option(
    "--service-account",
    default="",
    metavar="NAME",
    help="The account that pods run as; else the namespace's default one.",
)
git_credentials_option = click.option(
    "--git-credentials",
    default="",
    metavar="SECRET",
    help="The Secret with the credentials of pods for private git repositories, in "
    ".git-credentials.",
)
trust_option = click.option(
    "--trust",
    default="",
    metavar="CONFIGMAP",
    help="The ConfigMap whose ca.crt has further roots that pods trust.",
)
pod_security_option = click.option(
    "--pod-security",
    type=click.Choice([profile.value for profile in SecurityProfile]),
    default=SecurityProfile.USER_NAMESPACE.value,
    show_default=True,
    help="What build pods ask for: a user namespace, capabilities, or everything.",
)


def credentials_option(default: str = "") -> Callable[[Function], Function]:
    """The Secret of pods for registries."""
    return click.option(
        "--credentials",
        default=default,
        show_default=bool(default),
        metavar="SECRET",
        help="The Secret with the registry credentials of pods, of type "
        "kubernetes.io/dockerconfigjson.",
    )
