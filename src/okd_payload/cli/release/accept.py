# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release accept``: whether a cluster that runs one release would take another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from okd_payload.cli.issues import count_of, print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document, print_table
from okd_payload.cli.release.accept_options import (
    StoreChoice,
    accept_options,
    take_cluster,
    take_stores,
)
from okd_payload.cli.release.locate import (
    Located,
    ReleaseChoice,
    locate_release,
    read_graph_file,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.options import (
    find_content,
    release_registry_options,
    release_registry_settings,
    tell_progress,
)
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError, NotFound, ReleaseError
from okd_payload.oci.location import RegistryLocation, parse_location
from okd_payload.release import labels
from okd_payload.release.accept.check import Surroundings, check_update
from okd_payload.release.accept.model import Acceptance, Check, Side, UpdateRequest
from okd_payload.release.accept.signature import OpenStores
from okd_payload.release.accept.unpack import (
    read_release_folder,
    read_unpacked,
    unpack_image,
)
from okd_payload.release.accept.versions import UpdateGraph, parse_update_graph
from okd_payload.release.cluster.tree import PayloadTree
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.graph import MAX_GRAPH_BYTES, graph_addresses
from okd_payload.signing.configuration import Configuration
from okd_payload.signing.stores import (
    CombinedStore,
    ConfigMapStore,
    SignatureStore,
    open_store,
    open_stores,
    read_config_maps,
)


@click.command()
@click.argument("release", metavar="NEW")
@click.option("--from", "running", required=True, metavar="OLD", help="The running release.")
@accept_options
@release_choice_options
@release_registry_options
@output_option("json", "yaml")
@click.pass_obj
def accept(
    settings: Settings,
    /,
    release: str,
    running: str,
    output: str | None,
    **options: Any,
) -> int:
    """Say whether a cluster that runs OLD would take the update to NEW, and what it would say.

    Every check is made, in the order of a cluster, which would stop at the first that fails. The
    exit code is 1 when the cluster would refuse.
    """
    acceptance = run_async(_Accept(settings, options).run(running, release))
    if output:
        print_document(acceptance, output)
    else:
        print_issues(acceptance.issues, settings)
        rows = [(check.name, check.outcome.value, _found(check)) for check in acceptance.checks]
        print_table(("check", "outcome", "found"), rows)
        verb = "takes" if acceptance.accepted else "refuses"
        click.echo(f"a cluster on {acceptance.running} {verb} {acceptance.wanted or release}")
    return 0 if acceptance.accepted else 1


def _found(check: Check) -> str:
    """What a check found, on one line."""
    if check.detail or check.reason:
        return check.reason or check.detail
    return count_of(len(check.issues), "issue") if check.issues else ""


class _Accept:
    """One run of the command."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._cluster = take_cluster(options)
        self._stores = take_stores(options)
        self._choice = take_release_choice(options)
        self._graph = _read_graph_file(self._choice)
        self._registries = release_registry_settings(options)
        self._content: str = options.pop("content")
        self._force: bool = options.pop("force")
        self._allow_explicit: bool = options.pop("allow_explicit_upgrade")
        self._skip_images: bool = options.pop("skip_images")

    async def run(self, running: str, release: str) -> Acceptance:
        progress = tell_progress(self._settings)
        async with open_services(self._settings, progress, registries=self._registries) as services:

            async def unpack(text: str) -> tuple[Located | None, Side]:
                try:
                    located = await locate_release(text, services, self._choice)
                    return located, await _unpack(located)
                except NotFound as error:
                    if text == running:
                        raise
                    return None, _name_absent(text, error)

            (old, old_side), (new, new_side) = await map_concurrently(
                unpack, (running, release), at_once=2
            )
            return await check_update(
                old_side,
                new_side,
                cluster=self._cluster,
                request=UpdateRequest(
                    is_by_digest=not _is_by_tag(release),
                    force=self._force,
                    allow_explicit=self._allow_explicit,
                ),
                around=Surroundings(
                    open_stores=_store_opener(self._stores, services),
                    clock=services.clock,
                    repository_of=None
                    if self._skip_images
                    else await find_content(self._content, services),
                    graph=self._graph or await _fetch_graph(self._choice, old, new, services),
                ),
            )


async def _unpack(located: Located) -> Side:
    """The release as a cluster gets it."""
    image = located.content.image
    if image is None or located.repository is None:
        return Side(name=located.typed, tree=_read_folder(located))
    unpacked = await unpack_image(located.repository, image)
    return Side(
        name=located.typed,
        pull_spec=str(located.pull_from or located.content.origin),
        digest=image.referenced.digest,
        tree=unpacked.tree,
        architecture=image.config.architecture,
        is_list=image.referenced.is_index,
        missing_programs=unpacked.missing_programs,
    )


def _read_folder(located: Located) -> PayloadTree:
    """A release in a folder; with the operator's own manifests when both folders are there."""
    root, folder = Path(located.typed), Path(located.content.origin)
    return read_unpacked(root) if folder == root / labels.FOLDER else read_release_folder(folder)


def _name_absent(text: str, error: NotFound) -> Side:
    """An update whose image is not there; all that is known is what it was called."""
    try:
        location = parse_location(text)
    except InputError:
        location = None
    is_known = isinstance(location, RegistryLocation) and location.reference.digest is not None
    return Side(
        name=text,
        pull_spec=text if is_known else "",
        digest=location.reference.digest if isinstance(location, RegistryLocation) else None,
        tree=PayloadTree(own=None, release=None),
        unavailable=error.message,
    )


def _is_by_tag(text: str) -> bool:
    """Whether ``text`` is a pull spec that names no digest."""
    try:
        location = parse_location(text)
    except InputError:
        return False
    return (
        isinstance(location, RegistryLocation)
        and "/" in text
        and not Path(text).is_dir()
        and location.reference.digest is None
    )


def _store_opener(choice: StoreChoice, services: Services) -> OpenStores:
    """Stores as a cluster asks them: those given first, then those that its release names."""
    given: Sequence[SignatureStore] = [_open_store(text, services) for text in choice.stores]

    def open_all(keys: Configuration) -> SignatureStore:
        if choice.only_these:
            return CombinedStore(given)
        return open_stores(keys, services, before=CombinedStore(given) if given else None)

    return open_all


def _open_store(text: str, services: Services) -> SignatureStore:
    path = Path(text)
    if path.is_file():
        return ConfigMapStore(read_config_maps(path))
    return open_store(text, services)


def _read_graph_file(choice: ReleaseChoice) -> UpdateGraph | None:
    path = Path(choice.graph)
    if not choice.graph or not path.is_file():
        return None
    return read_graph_file(path, parse_update_graph)


async def _fetch_graph(
    choice: ReleaseChoice, old: Located | None, new: Located | None, services: Services
) -> UpdateGraph | None:
    """The update graph, if one was named: of the first channel that knows of the update."""
    if not choice.graph or old is None or new is None:
        return None
    try:
        names = old.release.name, new.release.name
    except ReleaseError:
        return None  # which the checks tell in better words
    graph = UpdateGraph()
    for address in graph_addresses(choice.graph, names[1], architecture=choice.architecture):
        try:
            content = await services.fetch_document(address, limit=MAX_GRAPH_BYTES)
        except NotFound:
            continue
        graph = parse_update_graph(content, origin=choice.graph)
        if graph.has_edge(*names) or graph.risks_of(*names) is not None:
            break
    return graph
