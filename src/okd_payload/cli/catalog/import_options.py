# SPDX-License-Identifier: Apache-2.0
"""What to import, as people say it on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.errors import InputError


class ImportWish(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of the four sources, and how it is to be read."""

    ci_operator: Path | None
    variant: str
    branch: str
    promotes_to: str
    release: str
    follow_branches: bool
    build_configs: Path | None
    kustomization: Path | None
    image_stream: str
    name: str


import_options = option_group(
    click.option(
        "--ci-operator",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Import a stream of OpenShift CI from its configurations below DIR.",
    ),
    click.option("--branch", default="", help="With --ci-operator: the branch of the stream."),
    click.option("--variant", default="", help="With --ci-operator: the variant, as okd-scos."),
    click.option(
        "--promotes-to",
        default="",
        metavar="NAMESPACE/NAME",
        help="With --ci-operator: the image stream, where the configurations do not tell.",
    ),
    click.option(
        "--release",
        "release",
        default="",
        metavar="RELEASE",
        help="Import the images of a release.",
    ),
    click.option(
        "--follow-branches",
        is_flag=True,
        help="With --release: build branches as they are now, not the commits of the release.",
    ),
    click.option(
        "--build-configs",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Import a folder of BuildConfigs and ImageStreams, or one such file.",
    ),
    click.option(
        "--kustomization",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Import what the kustomization in DIR makes of BuildConfigs.",
    ),
    click.option(
        "--image-stream",
        default="release",
        metavar="NAME",
        help="With --build-configs or --kustomization: the ImageStream whose tags count.",
    ),
    click.option("--name", default="", help="How the stream is called."),
)
"""Options that say what to import; see ``take_import_wish``."""


def take_import_wish(options: dict[str, Any]) -> ImportWish:
    """Take the values of ``import_options`` out of ``options``. Raises InputError."""
    wish = ImportWish(**{name: options.pop(name) for name in ImportWish.__struct_fields__})
    _check(wish)
    return wish


def _check(wish: ImportWish) -> None:
    """Raise InputError for options that do not go together."""
    sources = (wish.ci_operator, wish.release, wish.build_configs, wish.kustomization)
    if sum(bool(source) for source in sources) != 1:
        raise InputError(
            "exactly one of --ci-operator, --release, --build-configs and --kustomization is needed"
        )
    for option, given, needed in (
        ("--branch", wish.branch, wish.ci_operator),
        ("--variant", wish.variant, wish.ci_operator),
        ("--promotes-to", wish.promotes_to, wish.ci_operator),
        ("--follow-branches", wish.follow_branches, wish.release),
    ):
        if given and not needed:
            other = "--release" if option == "--follow-branches" else "--ci-operator"
            raise InputError(f"{option} goes with {other}")
    if wish.ci_operator and not wish.branch:
        raise InputError(
            "--ci-operator needs --branch", hint="as in --branch release-4.20 --variant okd-scos"
        )
