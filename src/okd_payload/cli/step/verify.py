# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step verify``: a release, as strictly as a cluster and its users look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.session import start_session
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions
from okd_payload.errors import InputError
from okd_payload.issues import Issue, apply_permits
from okd_payload.oci.location import parse_location
from okd_payload.release.accept.unpack import unpack_image
from okd_payload.release.lint.base import lint_tree
from okd_payload.release.lint.check import lint_release
from okd_payload.release.load import load_release
from okd_payload.release.verify.images import Subject, find_subjects, verify_images

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@click.argument("release")
@click.option(
    "--snapshot",
    required=True,
    metavar="REPOSITORY@DIGEST",
    help="Of the stream, which says what is permitted.",
)
@registry_options
@click.pass_obj
def verify(settings: Settings, /, release: str, snapshot: str, **options: Any) -> None:
    """Check RELEASE, a pull spec with a digest: its manifests, its base, and that all is there.

    Every image is looked for where the payload names it, and every blob of it asked for. What
    the stream permits does not count.
    """
    registries = registry_settings(options)
    issues = run_async(_verify(settings, release, snapshot, registries))
    print_issues(issues, settings)
    stop_on_issues(issues, doing="the release can be used")
    click.echo(f"{release}: sound")


async def _verify(
    settings: Settings, release: str, snapshot: str, registries: RegistrySettings
) -> list[Issue]:
    location = parse_location(release)
    if location.digest is None:
        raise InputError(
            f"{release!r} has no digest", hint="name what `okd-payload step release` printed"
        )
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            session = await start_session(services, StreamOptions(stream=None, snapshot=snapshot))
            repository = await services.open_target(location)
            loaded = await load_release(repository, location.digest)
            content = loaded.content
            found = lint_release(content)
            if content.image is not None:
                image = await unpack_image(repository, content.image)
                found += lint_tree(image.tree, release_image=release)
            subjects, refused = await find_subjects(loaded.tags, services.open_repository)
            own = Subject(name="", repository=repository, selector=location.digest)
            verified = await verify_images([own, *subjects], read_blobs=False)
            permits = session.catalog.stream.permits
            return apply_permits([*found, *refused, *verified.issues], permits)
