# SPDX-License-Identifier: Apache-2.0
"""One image of a folder that somebody else checked out, outside of any stream.

Whoever composes builds by hand says in parameters what a BuildConfig says in fields. They become
a catalog with this one component, whose images are named by their pull specs, so everything else
is done by the code that plans and builds whole streams: rewriting, keys, labels, reuse.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Argument, Component, Copy, ImageInput, Layering, Origin
from okd_payload.catalog.stream import Stream
from okd_payload.errors import InputError
from okd_payload.source.model import FolderSource

_NAME = "source"
LISTS = {
    "images": "NAME=PULLSPEC: a FROM or COPY --from that is exactly NAME means that image",
    "copies": "PULLSPEC=SOURCE=DESTINATION: files of an image, taken into the source",
    "build-args": "NAME=VALUE: build arguments",
    "env": "NAME=VALUE: environment, after every FROM",
    "labels": "NAME=VALUE: labels of the image",
}
"""What can be said any number of times, and how one of each is written."""


class SourceBuild(msgspec.Struct, frozen=True, kw_only=True):
    """What to build."""

    tag: str
    """Of the image; also what it is called in messages."""
    folder: str
    """The root of the source."""
    context_directory: str = "."
    dockerfile_path: str = "Dockerfile"
    """Relative to the context directory."""
    dockerfile: str | None = None
    """Inline text; wins over ``dockerfile_path``."""
    base: str = ""
    """Takes the place of the image of the last FROM; empty for the one that it names."""
    inputs: tuple[ImageInput, ...] = ()
    build_arguments: tuple[Argument, ...] = ()
    environment: tuple[Argument, ...] = ()
    labels: tuple[Argument, ...] = ()
    layering: Layering = Layering.ONE


def read_lists(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Words as lists: each name of ``LISTS`` is followed by what belongs to it.

    Raises InputError.
    """
    found: dict[str, list[str]] = {name: [] for name in LISTS}
    current = ""
    for word in words:
        if word in LISTS:
            current = word
        elif not current or "=" not in word:
            raise InputError(
                f"{word!r} is no value of {current or 'any list'}",
                hint="; ".join(f"{name}: {form}" for name, form in LISTS.items()),
            )
        else:
            found[current].append(word)
    return {name: tuple(values) for name, values in found.items()}


def read_arguments(words: Iterable[str]) -> tuple[Argument, ...]:
    """Named values, each written NAME=VALUE."""
    return tuple(Argument(*word.split("=", 1)) for word in words)


def read_inputs(images: Iterable[str], copies: Iterable[str]) -> tuple[ImageInput, ...]:
    """The other images of a build, as ``LISTS`` says they are written. Raises InputError."""
    inputs = []
    for word in images:
        alias, _, pull_spec = word.partition("=")
        inputs.append(ImageInput(image=pull_spec, aliases=(alias,)))
    for word in copies:
        parts = word.split("=")
        if len(parts) != len(("image", "source", "destination")) or not all(parts):
            raise InputError(f"{word!r} says no files to copy", hint=LISTS["copies"])
        pull_spec, source, destination = parts
        inputs.append(ImageInput(image=pull_spec, copies=(Copy(source, destination),)))
    return tuple(inputs)


def encode_text(text: str) -> str:
    """``text`` as one word in which no variable of an engine can be."""
    return base64.b64encode(text.encode()).decode()


def decode_text(word: str) -> str:
    """The text in a word of ``encode_text``. Raises InputError."""
    try:
        return base64.b64decode(word, validate=True).decode()
    except ValueError as error:
        raise InputError(
            f"a Dockerfile in a parameter is no base64: {error}",
            hint="write it with `base64 --wrap 0 Dockerfile`",
        ) from error


def make_source_catalog(build: SourceBuild) -> Catalog:
    """A catalog of this one build."""
    component = Component(
        name=build.tag,
        tag=build.tag,
        origin=Origin("the parameters of the build"),
        source=FolderSource(path=build.folder),
        context_directory=build.context_directory,
        dockerfile_path=build.dockerfile_path,
        dockerfile=build.dockerfile,
        base=build.base,
        inputs=build.inputs,
        build_arguments=build.build_arguments,
        environment=build.environment,
        labels=build.labels,
        layering=build.layering,
    )
    return Catalog(path="", stream=Stream(name=_NAME, catalog=()), components=(component,))
