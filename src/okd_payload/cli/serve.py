# SPDX-License-Identifier: Apache-2.0
"""``okd-payload serve``: follow release streams, and show them to everybody."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.cluster_options import (
    ClusterOptions,
    cluster_options,
    connect,
    refuse_without_cluster,
    take_cluster_options,
)
from okd_payload.cli.database_option import database_option
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.serving.payload_jobs import job_options, take_job_pods
from okd_payload.cli.settings import Settings
from okd_payload.cli.web_address import read_web_address
from okd_payload.errors import InputError, Interrupted

if TYPE_CHECKING:
    from okd_payload.cli.serving.assembly import ControllerOptions
    from okd_payload.cluster import Cluster
    from okd_payload.oci.registry import RegistrySettings

_PATIENCE_SECONDS = 20.0
"""With a registry that is down: the page is to say so soon, and the next pass tries again."""
_PASS_SECONDS = 5.0
"""How long copying, making and publishing may hold up the verdicts of their stream."""


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where and what is served."""

    listen: str
    port: int
    title: str
    site_file: Path | None
    only: str | None
    log_format: str
    demo: bool

    @property
    def acts(self) -> bool:
        """Whether this process makes releases."""
        return self.only != "pages"

    @property
    def shows(self) -> bool:
        """Whether this process answers more than probes."""
        return self.only != "controller"


_serve_options = option_group(
    click.option(
        "--streams",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder with the release streams; read again when a file in it changes.",
    ),
    click.option(
        "--demo",
        is_flag=True,
        help="Instead of a folder: follow the quickstart example, in a folder that goes away.",
    ),
    click.option(
        "--annotated",
        multiple=True,
        metavar="NAMESPACE",
        help="Also follow the streams that image streams of this namespace configure.",
    ),
    database_option,
    click.option(
        "--listen", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to answer."
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8080,
        show_default=True,
        help="On which port; 0 takes any that is free.",
    ),
    click.option(
        "--base-url", default="", metavar="URL", help="Where people reach this server, for links."
    ),
    click.option(
        "--site",
        "site_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Who may read and write, and who is told of what happens.",
    ),
    click.option(
        "--title", default="OKD releases", show_default=True, help="Stands above all pages."
    ),
    click.option(
        "--instance",
        default="",
        metavar="NAME",
        help="Who this is among several; else the machine.",
    ),
    click.option(
        "--lease",
        type=click.FloatRange(1, 300),
        default=15.0,
        show_default=True,
        metavar="SECONDS",
        help="After how long another instance goes on when this one is dead.",
    ),
    click.option(
        "--prow-jobs",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder with the job definitions of Prow, for the runner prowjob.",
    ),
    click.option(
        "--only",
        type=click.Choice(("pages", "controller")),
        help="Show without acting, or act and answer nothing but probes and metrics.",
    ),
    click.option(
        "--cluster", is_flag=True, help="Use the cluster of KUBECONFIG or of this pod's account."
    ),
    cluster_options,
    job_options,
    registry_options,
    click.option(
        "--log-format",
        type=click.Choice(("text", "json")),
        default="text",
        show_default=True,
        help="Lines for people, or one JSON object on each line.",
    ),
)


@click.command()
@_serve_options
@click.pass_obj
def serve(settings: Settings, /, **options: Any) -> None:
    """Follow the release streams of a folder, and show them, until it is told to end.

    A change of a stream's images becomes a release, which is verified and published as the
    stream's file says. Several instances with the same database share the work: one acts, all
    show, and when the one that acts dies another goes on.
    """
    from okd_payload.cli.serving.logs import start_logging

    registries = msgspec.structs.replace(registry_settings(options), deadline=_PATIENCE_SECONDS)
    cluster = take_cluster_options(options)
    wanted = options.pop("cluster") or bool(cluster.kubeconfig or cluster.context)
    if not wanted:
        refuse_without_cluster("namespace")
    pods = take_job_pods(options, plain_http=registries.plain_http_hosts)
    controller = msgspec.structs.replace(_controller_options(options), pods=pods)
    server = msgspec.convert(options, ServerOptions)
    start_logging(server.log_format, verbosity=settings.verbose, quiet=settings.quiet)
    work = _serve(
        settings,
        server,
        controller,
        registries=registries,
        cluster=cluster if wanted else None,
    )
    with contextlib.suppress(Interrupted):  # being told to end is how a server ends well
        run_async(work)


def _controller_options(options: dict[str, Any]) -> ControllerOptions:
    """Take what is about the controller out of ``options``. Raises InputError."""
    from okd_payload.cli.serving.assembly import ControllerOptions

    streams = options.pop("streams")
    if (streams is None) is not options["demo"]:
        raise InputError(
            "either a folder with release streams is followed or the demonstration",
            hint="name the folder with --streams DIR, or say --demo",
        )
    return ControllerOptions(
        streams=streams or Path(),
        annotated=options.pop("annotated"),
        database=options.pop("database"),
        instance=options.pop("instance"),
        lease_seconds=options.pop("lease"),
        base_url=_check_address(options.pop("base_url")),
        prow_jobs=options.pop("prow_jobs"),
    )


def _check_address(text: str) -> str:
    """Where people reach the server, without a slash at its end. Raises InputError."""
    if text:
        read_web_address(text, option="--base-url")
    return text.rstrip("/")


async def _serve(
    settings: Settings,
    server: ServerOptions,
    controller: ControllerOptions,
    *,
    registries: RegistrySettings,
    cluster: ClusterOptions | None,
) -> None:
    from okd_payload.cli.serving.assembly import make_controller, open_surroundings
    from okd_payload.cli.serving.demo import prepare_demonstration
    from okd_payload.cli.serving.http import address_of, answer, listen
    from okd_payload.cli.serving.logs import log_progress
    from okd_payload.source.history import GitHistory
    from okd_payload.web.access.settings import SiteSettings, read_site_settings
    from okd_payload.web.application import PROBES, make_application
    from okd_payload.web.site import Site

    async with contextlib.AsyncExitStack() as stack:
        opened = stack.enter_context(listen(server.listen, server.port))
        described = ""
        if server.demo:
            demo = await stack.enter_async_context(prepare_demonstration(settings.locations))
            settings.state, described = demo.state, demo.describe()
            controller = msgspec.structs.replace(controller, streams=demo.streams, database="")
        services = await stack.enter_async_context(
            open_services(settings, log_progress, registries=registries)
        )
        found: Cluster | None = None
        if cluster is not None:
            found = await stack.enter_async_context(connect(cluster))
        surroundings = await stack.enter_async_context(
            open_surroundings(controller, services, found)
        )
        service = None
        if server.acts:
            made = make_controller(surroundings, services, controller, patience=_PASS_SECONDS)
            stack.push_async_callback(made.hands.close)
            service = made.service
        site = Site(
            surroundings=surroundings,
            history=GitHistory(services.locations.git, clock=services.clock),
            service=service,
            base_url=controller.base_url,
            title=server.title,
            builds=services.locations.state / "streams",
            settings=read_site_settings(server.site_file) if server.site_file else SiteSettings(),
        )
        application = make_application(site, parts=None if server.shows else PROBES)
        click.echo(f"serving at {address_of(opened)}")
        if described:
            click.echo(described)
        await answer(application, opened, beside=service.run() if service else _rest())


async def _rest() -> None:
    """Do nothing, for ever: another instance acts."""
    await asyncio.Event().wait()
