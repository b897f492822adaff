# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step snapshot``: everything a stream is built from, frozen, as one artifact."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.plan import Plan, component_name
from okd_payload.build.work_graph import work_graph
from okd_payload.catalog.load import STREAM_FILE
from okd_payload.catalog.parameters import StreamParameters
from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.session import start_session
from okd_payload.cli.settings import Settings
from okd_payload.cli.snapshots import find_snapshot, record_sources, store_session
from okd_payload.cli.step.opening import find_place
from okd_payload.cli.step.results import result_options, take_results, write_result
from okd_payload.cli.stream_options import StreamOptions, input_options, take_stream_options
from okd_payload.engines.pod.step_results import SNAPSHOT_RESULTS
from okd_payload.engines.tekton.rendering.selection import check_selection
from okd_payload.errors import InputError, UnknownName
from okd_payload.source.overrides import parse_override

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings

_GIT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/]*:")


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """Which stream, and where the snapshot goes."""

    stream: str
    path: str
    variant: str
    given: str
    repository: str
    locked: bool
    expect: str
    selected: tuple[str, ...]


@click.command()
@click.argument("stream", default="")
@click.argument("selected", nargs=-1, metavar="[NAME]...")
@click.option("--path", default="", metavar="FOLDER", help="Where the stream is in its repository.")
@click.option(
    "--variant",
    default="",
    metavar="NAME",
    help="The stream NAME beside STREAM: NAME/stream.yaml, variants/NAME/stream.yaml or NAME.yaml.",
)
@click.option("--branch", default="", metavar="BRANCH", help="Of every component.")
@click.option("--release-name", default="", metavar="NAME", help="Name of the release.")
@click.option("--content", default="", metavar="REPOSITORY", help="Of the component images.")
@click.option("--releases", default="", metavar="REPOSITORY", help="Of the release images.")
@click.option(
    "--repository",
    default="",
    metavar="REPOSITORY",
    help="Where the snapshot goes; by default to the component images.",
)
@click.option(
    "--expect",
    default="",
    metavar="GRAPH",
    help="Refuse another graph than the one that a Pipeline was rendered from.",
)
@click.option("--locked", is_flag=True, help="Take the lock beside the stream file.")
@click.option(
    "--given",
    default="",
    metavar="REPOSITORY@DIGEST",
    help="Take this snapshot instead of making one.",
)
@input_options
@result_options(SNAPSHOT_RESULTS)
@registry_options
@click.pass_obj
def snapshot(settings: Settings, /, **options: Any) -> None:
    """Freeze STREAM and store all that building it takes as one artifact, by its digest.

    STREAM is a stream file, its folder, or a git repository as URL@REF. NAMEs are components that
    will be asked for: what nobody knows is refused now, and more of them than a run can name.
    Options and names that are empty count as not given, because pipelines pass all of theirs.
    """
    results = take_results(options)
    registries = registry_settings(options)
    parameters = StreamParameters(
        branch=options.pop("branch"),
        release_name=options.pop("release_name"),
        content=options.pop("content"),
        releases=options.pop("releases"),
    )
    request = _Request(**{name: options.pop(name) for name in _Request.__struct_fields__})
    inputs = take_stream_options({"stream": None, **options})
    made = _snapshot(settings, request, inputs, parameters=parameters, registries=registries)
    reference, name = run_async(made)
    write_result(results, "snapshot", reference)
    write_result(results, "digest", reference.rpartition("@")[2])
    write_result(results, "stream", name)
    click.echo(reference)


async def _snapshot(
    settings: Settings,
    request: _Request,
    inputs: StreamOptions,
    *,
    parameters: StreamParameters,
    registries: RegistrySettings,
) -> tuple[str, str]:
    """The snapshot as it is named, and the name of its stream."""
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            if request.given:
                found = await find_snapshot(services, request.given)
                plan = found.document.frozen.plan
                _check(plan, request)
                return request.given, plan.stream
            sources = record_sources(services)
            path = await _find_stream(services, request)
            lock = path.parent / f"{path.stem}.lock" if request.locked else inputs.lock
            options = msgspec.structs.replace(inputs, stream=path, lock=lock)
            session = await start_session(services, options, parameters=parameters)
            print_issues(session.plan.issues, settings)
            stop_on_issues(session.plan.issues, doing="anything was stored")
            _check(session.plan, request)
            target = request.repository or session.catalog.stream.publish.content
            repository = await services.open_target(find_place(target, "content"))
            stored = await store_session(session, sources, repository)
            return stored.reference, session.plan.stream


def _check(plan: Plan, request: _Request) -> None:
    """Refuse what the run could only find out late. Raises UnknownName and InputError."""
    work = work_graph(plan)
    known = {component_name(plan.nodes[name]) for name in work.waits}
    selected = [name for name in request.selected if name]
    for name in selected:
        if name not in known:
            raise UnknownName("component", name, known=known)
    check_selection(selected, tasks=len(work.waits))
    present = work.digest
    if request.expect not in ("", present):
        raise InputError(
            f"the Pipeline was rendered from another graph ({request.expect}) than the stream "
            f"has now ({present})",
            hint="render it again with `okd-payload render tekton`, and apply it",
        )


async def _find_stream(services: Services, request: _Request) -> Path:
    """The stream file that is asked for, on this machine now. Raises InputError, SourceError."""
    if not request.stream:
        raise InputError("no stream was named", hint="name one, or a snapshot with --given")
    folder = Path(request.stream)
    if _is_repository(request.stream):
        _, source = parse_override(f"stream={request.stream}", directory=Path())
        commit = await services.sources.resolve(source)
        folder = services.temporary_folder() / "stream"
        await services.sources.check_out(source, commit, folder)
    return find_variant(folder, path=request.path, variant=request.variant)


def _is_repository(stream: str) -> bool:
    """Whether ``stream`` is the URL of a git repository; what is there is a file or a folder."""
    return bool(_GIT.match(stream)) and not Path(stream).exists()


def find_variant(stream: Path, *, path: str = "", variant: str = "") -> Path:
    """The stream file of ``variant`` at ``path`` below ``stream``, which may be a file itself.

    Raises InputError for a path that leads out, and UnknownName.
    """
    folder = stream / _inner(path) if path else stream
    if not variant:
        file = folder / STREAM_FILE if folder.is_dir() else folder
        if not file.is_file():
            raise InputError(f"there is no stream file {file}", hint="is --path right?")
        return file.absolute()
    around = folder if folder.is_dir() else folder.parent
    for name in (
        f"{variant}/{STREAM_FILE}",
        f"variants/{variant}/{STREAM_FILE}",
        f"{variant}.yaml",
    ):
        if (around / _inner(name)).is_file():
            return (around / name).absolute()
    known = {file.parent.name for file in around.glob(f"**/{STREAM_FILE}")}
    raise UnknownName("variant", variant, known=known, hint=f"none of that name is in {around}")


def _inner(path: str) -> str:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise InputError(f"{path!r} leads out of the stream", hint="give a path inside of it")
    return path
