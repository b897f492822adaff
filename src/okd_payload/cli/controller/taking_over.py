# SPDX-License-Identifier: Apache-2.0
"""``okd-payload controller import``: take over what OpenShift's release controller has.

The files are what ``oc get -o json`` writes, so nothing here needs a right on the old cluster. It
may be done again and again until the old controller is turned off: releases that are on record
stay as they are, runs and tested updates are brought up to date.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.database_option import DATABASE_VARIABLE
from okd_payload.cli.issues import count_of, print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.controller.migration.reading import OldState
from okd_payload.controller.migration.taking_over import Takeover
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.issues import Issue
from okd_payload.oci.layout.files import storage_errors

_MAX_BYTES = 512 * 1024 * 1024
"""Bound on a file: the image streams of all releases of years have some dozen MiB."""
_FILE = click.Path(dir_okay=False, path_type=Path)


class ImportReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was taken over, or would be."""

    streams: tuple[str, ...]
    releases: int
    new_releases: int | None
    """None when nothing was written."""
    runs: int
    tested_updates: int
    approvals: int
    issues: tuple[Issue, ...]


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Where the objects of the old controller are."""

    image_streams: Path
    payloads: Path | None
    prow_jobs: Path | None
    graph: Path | None


_import_options = option_group(
    click.option(
        "--image-streams", type=_FILE, required=True, metavar="FILE", help="Of oc get imagestreams."
    ),
    click.option("--payloads", type=_FILE, metavar="FILE", help="Of oc get releasepayloads."),
    click.option("--prow-jobs", type=_FILE, metavar="FILE", help="Of oc get prowjobs."),
    click.option("--graph", type=_FILE, metavar="FILE", help="The secret release-upgrade-graph."),
    click.option(
        "--database",
        envvar=DATABASE_VARIABLE,
        required=True,
        metavar="URL",
        help="The records.",
    ),
    click.option(
        "--architecture",
        default="amd64",
        show_default=True,
        metavar="NAME",
        help="Of the releases.",
    ),
    click.option(
        "--skip-payloads", is_flag=True, help="Do not read what the payloads say of updates."
    ),
    click.option(
        "--dry-run", is_flag=True, help="Say what would be taken over, and write nothing."
    ),
    registry_options,
    output_option("json", "yaml"),
)


@click.command("import")
@_import_options
@click.pass_obj
def import_command(
    settings: Settings,
    /,
    *,
    database: str,
    architecture: str,
    skip_payloads: bool,
    dry_run: bool,
    output: str | None,
    **options: Any,
) -> int:
    """Take over the releases, runs, approvals and tested updates of an old controller.

    The streams' own configurations stay files: save the annotation release.openshift.io/config of
    each image stream as NAME.json in the folder of your streams. The exit code is 3 when payloads
    could not be read: import again.
    """
    from okd_payload.controller.migration.taking_over import plan_takeover

    registries = registry_settings(options)
    takeover = plan_takeover(_read(msgspec.convert(options, Files)), architecture=architecture)
    if dry_run:
        return _show(settings, takeover, new=None, unread=(), output=output)

    async def write() -> int:
        from okd_payload.controller.migration.taking_over import read_payloads, take_over
        from okd_payload.controller.records import open_database
        from okd_payload.controller.surroundings import Surroundings
        from okd_payload.progress import ignore_progress

        async with open_services(settings, ignore_progress, registries=registries) as services:
            records = open_database(database)
            try:
                surroundings = Surroundings(
                    database=records,
                    clock=services.clock,
                    progress=ignore_progress,
                    configurations=lambda: takeover.configurations,
                    open_location=services.open_location,
                    open_target=services.open_target,
                    state=services.locations.state / "controller",
                )
                new = await take_over(surroundings, takeover)
                unread = () if skip_payloads else await read_payloads(surroundings, takeover)
            finally:
                await records.close()
        return _show(settings, takeover, new=new, unread=unread, output=output)

    return run_async(write())


def _read(files: Files) -> OldState:
    """The objects in ``files``. Raises StorageError and InvalidDocument."""
    from okd_payload.controller.migration.objects import ImageStream, ProwJob, ReleasePayload
    from okd_payload.controller.migration.reading import read_graph, read_items

    streams, payloads = files.image_streams, files.payloads
    jobs, graph = files.prow_jobs, files.graph
    return OldState(
        image_streams=read_items(_content(streams), ImageStream, path=str(streams)),
        payloads=read_items(_content(payloads), ReleasePayload, path=str(payloads))
        if payloads
        else (),
        prow_jobs=read_items(_content(jobs), ProwJob, path=str(jobs)) if jobs else (),
        updates=read_graph(_content(graph), path=str(graph)) if graph else (),
    )


def _content(path: Path) -> bytes:
    if not path.exists():
        raise InputError(
            f"there is no file {path}", hint="write it with `oc get -o json` on the old cluster"
        )
    with storage_errors("read", path):
        if path.stat().st_size > _MAX_BYTES:
            raise InvalidDocument(f"larger than {_MAX_BYTES} bytes", path=str(path))
        return path.read_bytes()


def _show(
    settings: Settings,
    takeover: Takeover,
    *,
    new: int | None,
    unread: tuple[Issue, ...],
    output: str | None,
) -> int:
    report = ImportReport(
        streams=tuple(sorted(takeover.configurations)),
        releases=len(takeover.found.releases),
        new_releases=new,
        runs=len(takeover.found.runs),
        tested_updates=len(takeover.edges),
        approvals=len(takeover.found.approvals),
        issues=(*takeover.issues, *unread),
    )
    if output:
        print_document(report, output)
    else:
        print_issues(report.issues, settings)
        written = "nothing was written" if new is None else f"{new} of them new"
        click.echo(
            f"{count_of(len(report.streams), 'stream')}, "
            f"{count_of(report.releases, 'release')} ({written}), "
            f"{count_of(report.runs, 'run')}, {count_of(report.tested_updates, 'tested update')}, "
            f"{count_of(report.approvals, 'approval')}"
        )
    return 3 if unread else 0
