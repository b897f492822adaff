# SPDX-License-Identifier: Apache-2.0
"""Dockerfiles that a component copies out of another image, read before that image exists.

Where replacements of Dockerfiles are kept in one repository, an image carries them to the
components that use them (``okd-pipelines.md`` 1.7). Such an image does nothing but copy its
context, so what will be in it is in its source already, and a plan can be whole before anything
is built. What a RUN may have changed, archives, links and patterns are not guessed at: the build
reads the Dockerfile out of the image in any case, and refuses one that was not planned for.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from okd_payload.build.inputs import Inputs, brings_dockerfile, dockerfile_location
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, Copy
from okd_payload.catalog.dockerfile import Dockerfile, Instruction, decode_dockerfile
from okd_payload.catalog.names import TagImage, resolve_image
from okd_payload.errors import InputError, SourceError
from okd_payload.source.model import SourceTree

_CHANGES_NOTHING = frozenset(
    ("ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "MAINTAINER", "USER", "WORKDIR")
)
_UNCERTAIN = frozenset("$*?[\"'\\")


async def foresee(
    components: Sequence[Component], catalog: Catalog, inputs: Inputs, sources: SourceTree
) -> Inputs:
    """The Dockerfiles of those of ``components`` that have none, as far as ``inputs`` tell."""
    found: dict[str, bytes] = {}
    for component in components:
        if component.name in inputs.dockerfiles or component.name in inputs.foreseen:
            continue
        content = await _foresee(component, catalog, inputs, sources)
        if content is not None:
            found[component.name] = content
    return Inputs(foreseen=found)


def origins_of(dockerfile: Dockerfile, path: str) -> tuple[str, ...]:
    """Paths of the context of which one becomes ``path`` of the image; none when unknown."""
    folder, found = "/", tuple[str, ...]()
    for instruction in dockerfile.stages[-1].instructions:
        if instruction.name == "WORKDIR":
            folder = posixpath.join(folder, instruction.text.strip())
        elif instruction.name == "COPY":
            origins = _copied(instruction, folder, path)
            if origins is None:
                return ()
            found = origins or found
        elif instruction.name not in _CHANGES_NOTHING:
            return ()
    return found


def _copied(instruction: Instruction, folder: str, path: str) -> tuple[str, ...] | None:
    """Where a COPY may take ``path`` from; nothing when it does not, None when it is unclear."""
    words = instruction.text.split()
    unclear = _UNCERTAIN.intersection(instruction.text) or instruction.heredocs
    if unclear or instruction.flag("from") or len(words) != 2:
        return None
    source, destination = words[0], posixpath.join(folder, words[1])
    target = posixpath.normpath(destination)
    inside = posixpath.relpath(path, target)
    if inside.startswith("../") or inside == "..":
        return ()
    plain = source.strip("/") or "."
    as_folder = posixpath.normpath(posixpath.join(plain, inside))
    is_file_itself = inside in (".", posixpath.basename(plain))
    return (as_folder, posixpath.normpath(plain)) if is_file_itself else (as_folder,)


async def _foresee(
    component: Component, catalog: Catalog, inputs: Inputs, sources: SourceTree
) -> bytes | None:
    for item in component.inputs:
        carrier = _built(item.image, catalog) if item.copies else None
        if carrier is None or carrier.source is None:
            continue
        commit, content = inputs.commits.get(carrier.name), inputs.dockerfiles.get(carrier.name)
        if commit is None or content is None:
            continue
        for path in _origins(component, item.copies, carrier, content):
            try:
                brought = await sources.read_file(carrier.source, commit, path)
            except SourceError:  # the source was read before: what is wrong now, the build tells
                return None
            if brought is not None:
                return brought
    return None


def _origins(
    component: Component, copies: Sequence[Copy], carrier: Component, content: bytes
) -> Iterator[str]:
    """Paths in the source of ``carrier`` that may be the Dockerfile of ``component``."""
    try:
        dockerfile = decode_dockerfile(content, path=carrier.name)
    except InputError:  # an issue of the carrier
        return
    for copy in copies:
        if brings_dockerfile(component, copy):
            for origin in origins_of(dockerfile, _path_in_image(component, copy)):
                yield posixpath.normpath(posixpath.join(carrier.context_directory, origin))


def _path_in_image(component: Component, copy: Copy) -> str:
    """Where the image has what ``copy`` puts in the place of the Dockerfile."""
    source = copy.source.removesuffix("/.").rstrip("/")
    name = "" if copy.source.endswith("/.") else posixpath.basename(source)
    landed = posixpath.normpath(posixpath.join(copy.destination, name))
    return posixpath.normpath(
        posixpath.join(source, posixpath.relpath(dockerfile_location(component), landed))
    )


def _built(name: str, catalog: Catalog) -> Component | None:
    """The component whose image ``name`` means, if it is one."""
    image = resolve_image(name, catalog)
    made = catalog.tags.get(image.tag) if isinstance(image, TagImage) else None
    return made if isinstance(made, Component) else None
