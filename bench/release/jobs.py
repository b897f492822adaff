# SPDX-License-Identifier: Apache-2.0
"""The jobs: what is run, on what, against which rival. A new one is one entry of ``JOBS``.

A job whose command does not exist is left out. ``prepare`` gives the context of one run, which is
not measured: a fresh cache, an empty registry, a folder that is removed afterwards.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from release.inputs import OKD_PAYLOAD, Input, second_registry


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One command to be measured."""

    command: Sequence[str]
    environment: Mapping[str, str]


Prepare = Callable[[Input, int], AbstractContextManager[Run]]
"""Gives what to run on an input; the number tells runs apart, 0 is the warm-up."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the tables."""

    name: str
    title: str
    command: str
    """The command of ours that must exist."""
    ours: Prepare
    rival: Prepare | None = None
    rival_name: str = ""


@contextlib.contextmanager
def _new(given: Input, number: int) -> Iterator[Run]:
    with _fresh_folder(given, "cold") as cache:
        yield _ours(
            given,
            *("new", "--from-image-stream-file", str(given.stream), "--name", "4.99.0"),
            *("--reference-mode", "source", "--to-image", f"{given.release}-{number}"),
            cache=cache,
        )


@contextlib.contextmanager
def _again(given: Input, number: int) -> Iterator[Run]:
    streams = given.changed_streams()
    yield _ours(
        given,
        *("new", "--from-image-stream-file", str(streams[number % len(streams)])),
        *("--reference-mode", "source", "--name", "4.99.0"),
        *("--to-image", f"{given.release}-again-{number}"),
        cache=given.primed,
    )


@contextlib.contextmanager
def _info(given: Input, number: int, *options: str) -> Iterator[Run]:
    del number
    with _fresh_folder(given, "cold") as cache:
        yield _ours(given, "info", *options, given.release, cache=cache)


@contextlib.contextmanager
def _size_again(given: Input, number: int) -> Iterator[Run]:
    del number
    yield _ours(given, "info", "--size", given.release, cache=given.primed)


@contextlib.contextmanager
def _extract(given: Input, number: int) -> Iterator[Run]:
    del number
    with _fresh_folder(given, "cold") as cache, _fresh_folder(given, "extracted") as target:
        yield _ours(given, "extract", "--from", given.release, "--to", str(target), cache=cache)


@contextlib.contextmanager
def _mirror_same(given: Input, number: int) -> Iterator[Run]:
    target = f"{given.registry}/mirror/c{given.components}-{number}"
    with _fresh_folder(given, "cold") as cache:
        yield _mirror(given, "--to", target, cache=cache)


@contextlib.contextmanager
def _mirror_complete(given: Input, number: int) -> Iterator[Run]:
    """The target of the warm-up, which therefore fills it."""
    del number
    target = f"{given.registry}/mirror/complete-c{given.components}"
    yield _mirror(given, "--to", target, cache=given.folder / "complete")


@contextlib.contextmanager
def _mirror_second(given: Input, number: int) -> Iterator[Run]:
    del number
    with _fresh_folder(given, "cold") as cache, second_registry(given.folder) as host:
        yield _mirror(given, "--to", f"{host}/mirror/okd", cache=cache)


@contextlib.contextmanager
def _mirror_dir(given: Input, number: int) -> Iterator[Run]:
    del number
    with _fresh_folder(given, "cold") as cache, _fresh_folder(given, "mirrored") as target:
        yield _mirror(given, "--to-dir", str(target), cache=cache)


@contextlib.contextmanager
def _skopeo_second(given: Input, number: int) -> Iterator[Run]:
    """A fresh registry each time, of which skopeo's cache of blobs knows nothing."""
    del number
    with second_registry(given.folder) as host:
        command = [
            *("skopeo", "sync", "--all", "--src", "docker", "--dest", "docker"),
            *("--src-tls-verify=false", "--dest-tls-verify=false", given.content, f"{host}/okd"),
        ]
        yield Run(command=command, environment=given.environment(given.primed))


def _ours(given: Input, *arguments: str, cache: Path) -> Run:
    command = [OKD_PAYLOAD, "release", *arguments, "--quiet"]
    return Run(command=command, environment=given.environment(cache))


def _mirror(given: Input, *arguments: str, cache: Path) -> Run:
    return _ours(given, "mirror", "--from", given.release, *arguments, cache=cache)


@contextlib.contextmanager
def _fresh_folder(given: Input, name: str) -> Iterator[Path]:
    folder = given.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _info_with(*options: str) -> Prepare:
    return lambda given, number: _info(given, number, *options)


JOBS: tuple[Job, ...] = (
    Job(name="new", title="release new, nothing cached", command="new", ours=_new),
    Job(name="again", title="release new again, one image changed", command="new", ours=_again),
    Job(name="info", title="release info", command="info", ours=_info_with()),
    Job(
        name="size",
        title="release info --size, nothing cached",
        command="info",
        ours=_info_with("--size"),
    ),
    Job(
        name="size-again",
        title="release info --size, of a release made here",
        command="info",
        ours=_size_again,
    ),
    Job(name="extract", title="release extract --to", command="extract", ours=_extract),
    Job(
        name="mirror-same",
        title="release mirror, same registry",
        command="mirror",
        ours=_mirror_same,
    ),
    Job(
        name="mirror-second",
        title="release mirror, second registry",
        command="mirror",
        ours=_mirror_second,
        rival=_skopeo_second,
        rival_name="skopeo sync --all",
    ),
    Job(name="mirror-dir", title="release mirror --to-dir", command="mirror", ours=_mirror_dir),
    Job(
        name="mirror-complete",
        title="release mirror, target complete",
        command="mirror",
        ours=_mirror_complete,
    ),
)
