# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a release stream over the quickstart example, in a folder that goes away.

Images of the example that this machine has built are copied, otherwise they are built once, by
the same command that anybody would type. The example's sources are copied too, so that they can
be changed and built again while somebody looks at the pages; nothing outside the folder is
written to.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import okd_payload
from okd_payload.errors import BuildError, InputError
from okd_payload.process import run

if TYPE_CHECKING:
    from okd_payload.locations import Locations

STREAM = "4.20.0-0.quickstart"
_EXAMPLE = "quickstart"
_FILE = """\
apiVersion: okd-payload.io/v1
kind: ReleaseStream
name: {stream}
title: The quickstart example
message: >-
  A demonstration: change the sources in {sources}, build them again, and look here.
input: {{repository: "oci:{images}", poll: 1s, settle: 1s}}
content: "oci:{folder}/content"
releases: "oci:{folder}/releases"
publishedAs:
  content: registry.example.org/quickstart/content
  releases: registry.example.org/quickstart/release
maxUnready: 3
verify:
  lint: {{settings: {{check: lint}}}}
  images: {{settings: {{check: images}}}}
  update:  # nobody signs these releases
    settings: {{check: accept, permit: "unverified-update no-update-keys"}}
    upgradeFrom: {{rule: Previous}}
publish:
  newest: {{tag: latest}}
channels: [stable-4]
"""


class Demonstration(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with all that the demonstration needs."""

    folder: Path

    @property
    def streams(self) -> Path:
        """The folder with the release stream."""
        return self.folder / "streams"

    @property
    def state(self) -> Path:
        """The state folder, of the server and of builds beside it."""
        return self.folder / "state"

    @property
    def example(self) -> Path:
        """The copy of the example that may be changed."""
        return self.folder / _EXAMPLE

    @property
    def images(self) -> Path:
        """The layout that the stream watches, into which builds go."""
        return self.state / "streams" / _EXAMPLE / "images"

    def describe(self) -> str:
        """What to type to see something happen."""
        coredns = self.example / "sources" / "coredns"
        build = f"{name_program()} --state {self.state} build {self.example}"
        make_token = f"{name_program()} controller token create me --role administrator"
        records = f"sqlite:///{self.state}/controller/records.db"
        return (
            f"its images are in oci:{self.images}\n"
            "a change becomes a release by:\n"
            f"  echo '# changed' >>{coredns}/cmd/coredns.sh\n"
            f"  {build}\n"
            "and one that is rejected by:\n"
            f"  echo 'ENTRYPOINT [\"/usr/bin/nothing\"]' >>{coredns}/Dockerfile\n"
            f"  {build}\n"
            "to act on its pages, sign in with the token that this makes:\n"
            f"  {make_token} --database {records}"
        )


@contextlib.asynccontextmanager
async def prepare_demonstration(locations: Locations) -> AsyncIterator[Demonstration]:
    """The example's images, and a release stream over them, until the end of the block.

    Raises InputError where the example is not there, MissingTool and BuildError where its images
    cannot be built.
    """
    example = find_example()
    with tempfile.TemporaryDirectory(prefix="okd-payload-demo-") as name:
        made = Demonstration(folder=Path(name))
        await asyncio.to_thread(_copy, example, made, built=locations.images(_EXAMPLE))
        if not made.images.is_dir():
            await _build(made)
        text = _FILE.format(
            stream=STREAM,
            folder=made.folder,
            images=made.images,
            sources=made.example / "sources",
        )
        made.streams.mkdir()
        (made.streams / f"{_EXAMPLE}.yaml").write_text(text, encoding="utf-8")
        try:
            yield made
        finally:
            await _tidy(made)


def name_program() -> str:
    """What has to be typed to run this program: its name where a shell finds it by that."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return shlex.join([sys.executable, "-m", "okd_payload"])
    found = shutil.which(called.name)
    by_name = found is not None and Path(found).resolve() == called.resolve()
    return called.name if by_name else shlex.quote(str(called.absolute()))


def find_example() -> Path:
    """The folder of the quickstart example. Raises InputError where there is none."""
    beside = Path(okd_payload.__file__).resolve().parents[2]
    for root in (beside, Path.cwd()):
        found = root / "examples" / _EXAMPLE
        if (found / "stream.yaml").is_file():
            return found
    raise InputError(
        "the quickstart example is not here",
        hint="run the demonstration in a checkout of this program's repository",
    )


def _copy(example: Path, made: Demonstration, *, built: Path) -> None:
    shutil.copytree(example, made.example)
    if built.is_dir():
        shutil.copytree(built, made.images, ignore=shutil.ignore_patterns(".writers"))


async def _build(made: Demonstration) -> None:
    ended = await run(_command(made, "build", str(made.example), "--quiet"))
    if ended.code:
        raise BuildError(
            f"the quickstart example cannot be built: {ended.errors.strip()}",
            hint="`okd-payload doctor` shows what this machine lacks",
        )


async def _tidy(made: Demonstration) -> None:
    """Let buildah take back what only it may delete."""
    if (made.state / "buildah").is_dir():
        await run(_command(made, "prune", "--quiet"))


def _command(made: Demonstration, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "okd_payload", "--state", str(made.state), *arguments]
