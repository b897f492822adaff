# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step release``: the release of the images that the other steps made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.collecting import collect_outcome, unmet
from okd_payload.build.images import MadeImage
from okd_payload.build.job import release_images
from okd_payload.build.one_image import FoundImages, find_images, tag_aliases
from okd_payload.build.places import Places
from okd_payload.build.publish import publish_release
from okd_payload.build.releasing import ReleaseMaker, ReleaseOutcome
from okd_payload.build.report import ReleaseResult
from okd_payload.catalog.parameters import StreamParameters, apply_parameters
from okd_payload.catalog.release_name import check_pattern
from okd_payload.cli.issues import count_of, print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.session import Session, make_maker
from okd_payload.cli.settings import Settings
from okd_payload.cli.step.opening import (
    StepOptions,
    find_place,
    open_step,
    step_options,
    take_step_options,
)
from okd_payload.cli.step.results import result_options, take_results, write_result
from okd_payload.engines.pod.step_results import RELEASE_RESULTS
from okd_payload.errors import BuildError, InputError
from okd_payload.oci.location import parse_location
from okd_payload.oci.repository import Repository
from okd_payload.release.load import load_release

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings

_MOST_TOLD = 10


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Where the release goes, and what of it was asked for."""

    to: str
    selected: tuple[str, ...]
    keep_going: bool
    content: str
    release_name: str


@click.command()
@click.argument("selected", nargs=-1, metavar="[NAME]...")
@step_options
@click.option(
    "--to",
    default="",
    metavar="REPOSITORY[:TAG]",
    help="Where the release goes, and a tag besides its name; by default where the stream "
    "publishes it.",
)
@click.option(
    "--content",
    default="",
    metavar="REPOSITORY",
    help="Where the component images go; by default where the stream publishes them.",
)
@click.option("--release-name", default="", metavar="NAME", help="Its name, or a pattern of one.")
@click.option(
    "--keep-going", is_flag=True, help="Whatever is missing stays as the stream's tags have it."
)
@result_options(RELEASE_RESULTS)
@registry_options
@click.pass_obj
def release(settings: Settings, /, **options: Any) -> None:
    """Assemble, check and push the release of a snapshot, of images that are all built.

    Images are found by their build keys in the repository. With NAMEs, only these were asked for,
    and whatever else is missing stays as the stream's tags have it. An issue that the stream does
    not permit stops it before a tag leads to the release.
    """
    results = take_results(options)
    registries = registry_settings(options)
    step = take_step_options(options)
    wanted = _Wanted(**options)
    made = run_async(_release(settings, step, wanted, registries))
    print_issues(made.issues, settings)
    stop_on_issues(made.issues, doing="the release")
    if made.result is None:
        raise BuildError("no release was made", hint="the issues above say why")
    write_result(results, "digest", made.result.digest)
    write_result(results, "name", made.result.name)
    write_result(results, "pull-spec", made.result.reference)
    click.echo(f"{made.result.name} {made.result.reference}")


async def _release(
    settings: Settings, options: StepOptions, wanted: _Wanted, registries: RegistrySettings
) -> ReleaseOutcome:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            session = _adjust(await open_step(services, options), wanted)
            found = await find_images(session.plan, make_maker(session, services))
            former = await _former(session, found, wanted)
            target = find_place(wanted.to or session.catalog.stream.publish.releases, "releases")
            releases = await services.open_target(target)
            made = await _make(session, services, found, former=former, releases=releases)
            if made.result is None:
                return made
            if not session.overridden and session.base is None:
                await tag_aliases(session.plan, found, session.images)
            published = await _publish(session, services, made.result, releases)
            if target.tag:
                manifest = await releases.manifests.get(made.result.digest)
                await releases.manifests.put(manifest, tag=target.tag)
            return msgspec.structs.replace(made, result=published)


def _adjust(session: Session, wanted: _Wanted) -> Session:
    """``session`` with the name and the repository that this release shall have."""
    parameters = StreamParameters(content=wanted.content, release_name=wanted.release_name)
    frozen, catalog = session.frozen, session.catalog
    stream = apply_parameters(catalog.stream, parameters)
    check_pattern(stream.release.name, stream=stream.name, version=stream.release.version)
    changed = msgspec.structs.replace(catalog, stream=stream)
    return msgspec.structs.replace(session, frozen=msgspec.structs.replace(frozen, catalog=changed))


async def _former(
    session: Session, found: FoundImages, wanted: _Wanted
) -> dict[str, MadeImage] | None:
    """Images of tags for what is missing; None when nothing may be. Raises BuildError."""
    selected = [name for name in wanted.selected if name]
    lacking = unmet(found, session.frozen, selected)
    if lacking and not wanted.keep_going:
        told = [f"  {each.node}: {each.reason}" for each in lacking[:_MOST_TOLD]]
        more = len(lacking) - len(told)
        raise BuildError(
            "\n".join(
                [
                    f"{count_of(len(lacking), 'image')} of the release not built",
                    *told,
                    *([f"  and {more} more"] if more else []),
                ]
            ),
            hint="build them with `okd-payload step component`, or go on with --keep-going",
        )
    if not found.missing:
        return None
    tags = [tag for tag in session.catalog.tags if tag not in found.images]
    read = {tag: await session.images.read_tag(tag) for tag in tags}
    return {tag: image for tag, image in read.items() if image is not None}


async def _make(
    session: Session,
    services: Services,
    found: FoundImages,
    *,
    former: dict[str, MadeImage] | None,
    releases: Repository,
) -> ReleaseOutcome:
    stream, base = session.catalog.stream, session.base
    if stream.release.skip and base is None:
        raise InputError(
            f"stream {stream.name} makes no releases: {stream.release.skip}",
            hint="leave this step away",
        )
    places = Places((session.images.repository, releases), services.open_repository)
    outcome = collect_outcome(session.frozen, found, run="release", moment=services.clock.now())
    return await release_images(
        outcome,
        frozen=session.frozen,
        maker=ReleaseMaker(stream, releases=releases, repository_of=places.repository_of),
        given=session.given,
        base=base.to_input(stream) if base else None,
        keep_going=former is not None,
        former=former,
    )


async def _publish(
    session: Session, services: Services, result: ReleaseResult, releases: Repository
) -> ReleaseResult:
    """Bring all images to where the payload names them, unless they were built there."""
    stream = session.catalog.stream
    if session.images.repository.name == stream.content_repository:
        return msgspec.structs.replace(result, reference=f"{releases.name}@{result.digest}")
    places = Places((session.images.repository, releases), services.open_repository)
    published = await publish_release(
        await load_release(releases, result.name),
        repository_of=places.repository_of,
        releases=releases,
        content_target=await services.open_target(parse_location(stream.content_repository)),
        releases_target=releases,
        content_repository=stream.content_repository,
        progress=services.tell,
    )
    return msgspec.structs.replace(result, reference=published.reference)
