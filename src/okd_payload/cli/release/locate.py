# SPDX-License-Identifier: Apache-2.0
"""From what somebody typed for a release to the release: the one way that all commands take.

A release is a pull spec, ``oci:DIR:TAG``, ``file://REPOSITORY:TAG`` in a directory that the options
name, a folder with the files of a payload, or a name. A name is looked up where the options say:
in a stream, in an update graph; without them in what was built on this machine, and then in the
stream file of the current folder. No cluster and no graph is asked that nobody named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.services import Services
from okd_payload.errors import ContentError, InputError, InvalidDocument, NotFound, UnknownName
from okd_payload.oci.location import (
    LayoutLocation,
    Location,
    RegistryLocation,
    parse_location,
)
from okd_payload.oci.reference import DEFAULT_TAG, Reference, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.release import labels
from okd_payload.release.load import (
    Release,
    ReleaseContent,
    find_folder,
    parse_release,
    read_folder,
    read_release,
)

Found = TypeVar("Found")

_STREAM_FILE = "stream.yaml"
_SHOWN_CHARACTERS = 200
_PLACES = (
    "give a pull spec, oci:DIR:TAG or a folder, or say where the name is known: "
    "--stream FILE, or --graph URL"
)


class ReleaseChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Where names of releases are looked up, and which member of an index counts."""

    stream: Path | None = None
    graph: str = ""
    architecture: str = ""
    platforms: re.Pattern[str] | None = None
    folder: Path = Path()
    """The directory that ``file://`` names repositories in."""


class Located(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A release and where it was found."""

    typed: str
    content: ReleaseContent
    repository: Repository | None = None
    """Where the image lies; None for a folder, around which there is no image."""
    pull_from: Reference | None = None
    """The pull spec by digest, where the release is in a registry."""

    @cached_property
    def release(self) -> Release:
        """What the content says. Raises ReleaseError when it is no release."""
        return parse_release(self.content)


release_choice_options = option_group(
    click.option(
        "--stream",
        type=click.Path(exists=True, path_type=Path),
        help="Look up names of releases in the stream of this file.",
    ),
    click.option(
        "--graph",
        default="",
        metavar="URL_OR_FILE",
        help="Look up names of releases in this update graph.",
    ),
    click.option("--arch", default="", metavar="ARCH", help="With --graph: for this architecture."),
    click.option(
        "--filter-by-os",
        metavar="REGEX",
        help="Choose the member of an index by platform.",
    ),
    click.option(
        "--dir",
        "--from-dir",
        "release_folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        help="The directory for releases that are file://REPOSITORY:TAG.",
    ),
)
"""Options of a command that is given releases; see ``take_release_choice``."""


def take_release_choice(options: dict[str, Any]) -> ReleaseChoice:
    """Take the values of ``release_choice_options`` out of ``options``. Raises InputError."""
    choice = ReleaseChoice(
        stream=options.pop("stream"),
        graph=options.pop("graph"),
        architecture=options.pop("arch"),
        platforms=_compile(options.pop("filter_by_os")),
        folder=options.pop("release_folder"),
    )
    if choice.stream and choice.graph:
        raise InputError("only one of --stream, --graph may be specified")
    if choice.architecture and not choice.graph:
        raise InputError(
            "--arch goes with --graph", hint="--filter-by-os chooses a member of an index"
        )
    return choice


async def locate_release(
    text: str, services: Services, choice: ReleaseChoice | None = None, *, deep: bool = False
) -> Located:
    """The release that ``text`` means, its files read and not yet understood.

    With ``deep`` the layers below the last one are searched too. Raises InputError when the
    name is unknown, NotFound, ContentError, and other errors of registries.
    """
    choice = choice or ReleaseChoice()
    place = await find_release(text, services, choice)
    if isinstance(place, Path):
        return Located(typed=text, content=read_folder(place))
    repository = await services.open_release(place)
    selector = place.selector or DEFAULT_TAG
    content = await read_release(repository, selector, platforms=choice.platforms, deep=deep)
    pull_from = None
    if isinstance(place, RegistryLocation) and content.image:
        pull_from = place.reference.with_digest(content.image.referenced.digest)
    return Located(typed=text, content=content, repository=repository, pull_from=pull_from)


async def find_release(
    text: str, services: Services, choice: ReleaseChoice | None = None
) -> Location | Path:
    """Where the release that ``text`` means lies: an image somewhere, or a folder.

    Of registries nothing is read. Raises InputError, and RegistryError for a graph.
    """
    choice = choice or ReleaseChoice()
    folder = find_folder(text)
    if folder:
        return folder
    if text.startswith((".", "/")):  # no host begins like that
        raise _no_folder(text)
    if not _is_name(text):
        return parse_location(text, folder=choice.folder)
    if choice.graph:
        return RegistryLocation(await _find_in_graph(text, services, choice))
    if choice.stream:
        return await _find_in_stream(text, services, choice.stream)
    return await _find_on_this_machine(text, services)


def _no_folder(path: str) -> InputError:
    """The error that there is no release at ``path``."""
    if os.path.isdir(path):  # noqa: PTH112 - pathlib's raises for what is too long
        what = f"is a folder without a release: it has no {labels.IMAGE_REFERENCES}"
    elif os.path.exists(path):  # noqa: PTH110 - as above
        what = "is a file, not a folder with a release"
    else:
        what = "does not exist"
    return InputError(
        f"{path[:_SHOWN_CHARACTERS]} {what}",
        hint="give the folder that `release extract --to` or `release new --to-dir` wrote; "
        "an image layout is oci:DIR:TAG",
    )


def _is_name(text: str) -> bool:
    """Whether ``text`` can only be a name: it says no place, host, tag or digest."""
    return bool(text) and not set(text) & set("/:@")


async def _find_on_this_machine(name: str, services: Services) -> Location:
    from okd_payload.oci.layout import LayoutRepository

    built = services.built_releases()
    found = {}
    for stream, path in built.items():
        layout = LayoutRepository(path)
        if name in await layout.manifests.tags():
            found[stream] = (await layout.manifests.get(name)).digest
    if len(set(found.values())) > 1:
        raise InputError(
            f"the streams {' and '.join(found)} each have another release {name}",
            hint="; or ".join(f"write oci:{built[stream]}:{name}" for stream in found),
        )
    if found:
        return LayoutLocation(path=built[next(iter(found))], tag=name)
    stream_file = _own_stream_file()
    if stream_file:
        return await _find_in_stream(name, services, stream_file)
    known = [
        tag for path in built.values() for tag in await LayoutRepository(path).manifests.tags()
    ]
    raise UnknownName("release", name, known=known, hint=_PLACES)


def _own_stream_file() -> Path | None:
    """The stream file of the current folder, when there is one."""
    path = Path(_STREAM_FILE)
    return path if path.exists() else None


async def _find_in_stream(name: str, services: Services, path: Path) -> Location:
    """A release of the stream: built on this machine, or else published."""
    from okd_payload.catalog.load import load_stream
    from okd_payload.oci.layout import LayoutRepository

    stream = load_stream(path)
    folder = services.locations.releases(stream.name)
    built = await LayoutRepository(folder).manifests.tags()
    if name in built:
        return LayoutLocation(path=folder, tag=name)
    if not stream.publish.releases:
        hint = f"{path} has no `publish.releases` to look into; it knows what was built here only"
        raise UnknownName(f"release of {stream.name}", name, known=built, hint=hint)
    return RegistryLocation(parse_reference(f"{stream.publish.releases}:{name}"))


async def _find_in_graph(version: str, services: Services, choice: ReleaseChoice) -> Reference:
    from okd_payload.release.graph import (
        MAX_GRAPH_BYTES,
        find_payload,
        graph_addresses,
        parse_graph,
    )

    if "://" not in choice.graph:
        graph = read_graph_file(Path(choice.graph), parse_graph)
        return parse_reference(find_payload(graph, version, origin=choice.graph))
    trouble: UnknownName | NotFound | None = None
    addresses = graph_addresses(choice.graph, version, architecture=choice.architecture)
    for address in addresses:
        try:
            content = await services.fetch_document(address, limit=MAX_GRAPH_BYTES)
            graph = parse_graph(content, origin=choice.graph)
            return parse_reference(find_payload(graph, version, origin=choice.graph))
        except (UnknownName, NotFound) as error:
            trouble = error
    raise trouble or UnknownName("release", version, known=(), hint=_PLACES)


def read_graph_file(path: Path, parse: Callable[..., Found]) -> Found:
    """What ``parse`` makes of the update graph in the file at ``path``. Raises InputError."""
    from okd_payload.release.graph import MAX_GRAPH_BYTES

    try:
        if path.stat().st_size > MAX_GRAPH_BYTES:
            raise InvalidDocument(f"larger than {MAX_GRAPH_BYTES} bytes", path=str(path))
        return parse(path.read_bytes(), origin=str(path))
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}",
            hint="name a file, or write https://HOST/PATH",
        ) from error
    except ContentError as error:
        raise InputError(
            f"{path}: not an update graph: {error.message}",
            hint="give what a Cincinnati server answers",
        ) from error


def _compile(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise InputError(
            f"--filter-by-os: {pattern!r} is no pattern: {error}",
            hint="write a regular expression for OS/ARCH, as in linux/arm64",
        ) from error
