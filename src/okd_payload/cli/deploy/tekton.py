# SPDX-License-Identifier: Apache-2.0
"""``okd-payload deploy tekton``: a namespace in which Tekton builds a stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog
from okd_payload.cli.catalog.stream_file import find_stream_file
from okd_payload.cli.cluster_options import cluster_options, connect
from okd_payload.cli.deploy.options import DeployOptions, deploy_options, take_deploy_options
from okd_payload.cli.deploy.printing import (
    ask,
    print_changes,
    print_next_steps,
    print_outcome,
    write_objects,
)
from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option
from okd_payload.cli.progress import show_progress
from okd_payload.cli.render.planning import plan_variants, render_variant
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.pod.security import build_rights
from okd_payload.engines.tekton.deploying.carry_out import carry_out, remove
from okd_payload.engines.tekton.deploying.changes import DeploymentChanges
from okd_payload.engines.tekton.deploying.check import check_cluster
from okd_payload.engines.tekton.deploying.composition import compose
from okd_payload.engines.tekton.deploying.credentials import (
    check_credentials,
    check_webhook_secret,
)
from okd_payload.engines.tekton.deploying.objects import DesiredState
from okd_payload.engines.tekton.deploying.settings import DeploymentSettings
from okd_payload.engines.tekton.deploying.survey import survey, survey_removal
from okd_payload.engines.tekton.rendering import RenderSettings
from okd_payload.engines.tekton.triggers.repositories import watched_repositories
from okd_payload.issues import Issue, apply_permits
from okd_payload.oci.reference import parse_reference


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with what would change."""

    to: Path | None
    diff_only: bool
    yes: bool
    overrule: bool
    removes: bool
    declared: bool


@click.command()
@click.argument("stream", required=False, type=click.Path(path_type=Path))
@deploy_options
@click.option(
    "--declared-edges",
    "declared",
    is_flag=True,
    help="Read definitions alone, and no Dockerfile: nothing is fetched.",
)
@click.option("--diff-only", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Change it without asking.")
@click.option(
    "--force-conflicts",
    "overrule",
    is_flag=True,
    help="Take fields back from whoever changed them.",
)
@click.option("--remove", "removes", is_flag=True, help="Take away everything that was deployed.")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the objects into this folder instead, with a kustomization.",
)
@cluster_options
@output_option("yaml")
@click.pass_obj
def tekton(
    settings: Settings, /, stream: Path | None, *, output: str | None, **options: Any
) -> None:
    """Bring a namespace to where Tekton builds STREAM in it, or keep it there.

    What would change is shown first, object by object, as the cluster itself says. A second run
    changes nothing. What others made is neither changed nor removed. When something goes wrong,
    what this run created is removed again.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder.
    """
    wish = _Wish(**{name: options.pop(name) for name in _Wish.__struct_fields__})
    given = take_deploy_options(options)
    catalog = load_catalog(find_stream_file(stream))
    deployment = given.to_settings(catalog.stream)
    if wish.declared:
        words = (*deployment.follow_words, "--declared-edges")
        deployment = msgspec.structs.replace(deployment, follow_words=words)
    work = _Deployment(settings, catalog, given, wish)
    if wish.to is not None or output:
        write_objects(run_async(work.compose(deployment)), wish.to)
    else:
        run_async(work.run(deployment))


class _Deployment:
    """One run against a cluster."""

    def __init__(
        self, settings: Settings, catalog: Catalog, options: DeployOptions, wish: _Wish
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._options = options
        self._wish = wish

    async def run(self, deployment: DeploymentSettings) -> None:
        """Show what would change, and change it."""
        place = msgspec.structs.replace(self._options.cluster, namespace=deployment.namespace)
        async with connect(place) as cluster:
            if self._wish.removes:
                nothing = DesiredState(
                    stream=deployment.stream,
                    namespace=deployment.namespace,
                    namespaced_only=deployment.namespaced_only,
                )
                await self._remove(cluster, nothing)
                return
            if await cluster.serves(kinds.SECURITY_CONTEXT_CONSTRAINTS):
                deployment = msgspec.structs.replace(deployment, openshift=True)
            desired = await self.compose(deployment)
            await self._check(cluster, deployment, desired)
            await self._deploy(cluster, desired)
        if not self._wish.diff_only:
            print_next_steps(deployment, self._catalog)

    async def compose(self, deployment: DeploymentSettings) -> DesiredState:
        """All objects of the deployment, with what is rendered of the stream."""
        listener = deployment.listener
        watched = watched_repositories(self._catalog, listener.forge) if listener else ()
        source = deployment.source
        rendering = RenderSettings(
            tool=deployment.tool,
            source_url=source.url if source else "",
            source_ref=(source.ref if source else "") or "main",
            source_path=source.folder if source else "",
        )
        options = StreamOptions(stream=Path(self._catalog.path))
        with show_progress(self._settings) as progress:
            async with open_services(self._settings, progress) as services:
                (variant,) = await plan_variants(
                    services, options, (), declared=self._wish.declared
                )
        issues = variant.plan.issues
        print_issues(issues, self._settings)
        stop_on_issues(issues, doing="deploying")
        return compose(deployment, render_variant(variant, rendering), watched)

    async def _check(
        self, cluster: Cluster, deployment: DeploymentSettings, desired: DesiredState
    ) -> None:
        level = build_rights(deployment.tool.profile).admission_level
        issues = await check_cluster(cluster, desired, admission_level=level)
        if not any(issue.blocks for issue in issues):
            issues += await _check_secrets(cluster, deployment)
        self._stop_on(issues)

    async def _deploy(self, cluster: Cluster, desired: DesiredState) -> None:
        async def look() -> DeploymentChanges:
            return await survey(cluster, desired, overrule=self._wish.overrule)

        changes = await look()
        self._stop_on(changes.issues)
        print_changes(changes, self._settings)
        if self._wish.diff_only or changes.is_nothing:
            print_outcome(changes, done=False)
            return
        ask(changes, yes=self._wish.yes)
        outcome = await carry_out(cluster, desired, changes, again=look)
        self._stop_on(outcome.issues)
        print_outcome(outcome.changes, done=True)

    async def _remove(self, cluster: Cluster, desired: DesiredState) -> None:
        changes = await survey_removal(cluster, desired)
        print_changes(changes, self._settings)
        if not (self._wish.diff_only or changes.is_nothing):
            ask(changes, yes=self._wish.yes)
            await remove(cluster, changes)
        print_outcome(changes, done=not self._wish.diff_only)

    def _stop_on(self, issues: Sequence[Issue]) -> None:
        permitted = apply_permits(issues, self._catalog.stream.permits)
        print_issues(permitted, self._settings)
        stop_on_issues(permitted, doing="deploying")


async def _check_secrets(cluster: Cluster, deployment: DeploymentSettings) -> list[Issue]:
    issues = []
    if deployment.tool.credentials:
        issues += await check_credentials(
            cluster,
            deployment.tool.credentials,
            namespace=deployment.namespace,
            repositories=[
                parse_reference(text)
                for text in dict.fromkeys((deployment.repository, deployment.releases))
                if text
            ],
        )
    listener = deployment.listener
    if listener is not None:
        issues += await check_webhook_secret(
            cluster, listener.secret, listener.key, namespace=deployment.namespace
        )
    return issues
