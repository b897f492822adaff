# SPDX-License-Identifier: Apache-2.0
"""The twin of engines keeps what engines promise."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from okd_payload.build.engine import BuildStep
from okd_payload.catalog.component import Argument
from okd_payload.errors import BuildError
from okd_payload.oci.image import read_image
from okd_payload.oci.layers.read import read_files
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import FolderSource
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.memory_sources import MemorySourceTree
from okd_payload.testing.scripted_engine import ScriptedEngine

STEP = BuildStep(
    component="tool",
    tag="tool",
    source=None,
    commit=None,
    context_directory=".",
    dockerfile="FROM scratch\n",
    images={},
    labels=(Argument("key", "value"),),
    platform=Platform("amd64"),
    timestamp=1,
)


@pytest.fixture
def engine() -> ScriptedEngine:
    """An engine with an empty repository."""
    return ScriptedEngine(MemoryRepository())


async def test_equal_steps_give_equal_images(engine, tmp_path) -> None:
    """And other steps other ones; what was built is remembered."""
    other = msgspec.structs.replace(STEP, timestamp=2)

    first = await engine.build(STEP, log=tmp_path / "log")

    assert await engine.build(STEP, log=tmp_path / "log") == first
    assert await engine.build(other, log=tmp_path / "log") != first
    assert engine.built == [STEP, STEP, other]
    assert engine.attempts == {"tool": 3}


async def test_images_stand_on_their_base(tmp_path) -> None:
    """The layers of the last FROM come first; labels are its own and the step's."""
    repository = MemoryRepository()
    base = await push_image(repository, labels={"of": "base"})
    step = msgspec.structs.replace(
        STEP, dockerfile="FROM scratch\nFROM base\n", images={"base": base.digest}
    )

    digest = await ScriptedEngine(repository).build(step, log=tmp_path / "log")

    image = await read_image(repository, digest)
    assert image.layers[:-1] == base.image().layers
    assert len(image.config.diff_ids) == len(image.layers) == len(image.config.history)
    assert image.config.labels == {"of": "base", "key": "value"}


async def test_builds_fail_as_told(engine, tmp_path) -> None:
    """Errors are raised one by one, and said in the log."""
    engine.fail("tool", BuildError("first"), BuildError("second"))

    for message in ("first", "second"):
        with pytest.raises(BuildError, match=message):
            await engine.build(STEP, log=tmp_path / "logs" / "tool")

    assert await engine.build(STEP, log=tmp_path / "logs" / "tool")
    assert (tmp_path / "logs" / "tool").read_text().splitlines() == [
        *("building tool", "first", "building tool", "second", "building tool")
    ]


async def test_builds_can_be_held(engine, tmp_path) -> None:
    """A held build runs until it is let go; a cancelled one leaves nothing."""
    release = engine.hold("tool")
    build = asyncio.create_task(engine.build(STEP, log=tmp_path / "log"))
    await asyncio.sleep(0)
    assert engine.running == {"tool"}

    build.cancel()
    with pytest.raises(asyncio.CancelledError):
        await build
    assert (engine.running, engine.built) == (set(), [])

    release.set()
    assert await engine.build(STEP, log=tmp_path / "log")


async def test_images_have_the_build_context(tmp_path) -> None:
    """Files of the context are in the last layer; labels of the Dockerfile count too."""
    repository, sources = MemoryRepository(), MemorySourceTree()
    source = FolderSource(path="/somewhere")
    commit = sources.put(source, {"images/manifests/a.yaml": "kind: A\n", "README": "outside"})
    base = await push_image(repository, labels={"of": "base"})
    step = msgspec.structs.replace(
        STEP,
        source=source,
        commit=commit,
        context_directory="images",
        dockerfile="FROM base AS below\nFROM below\nLABEL of=mine an=operator\n",
        images={"base": base.digest},
    )

    image = await read_image(
        repository, await ScriptedEngine(repository, sources).build(step, log=tmp_path / "log")
    )

    layer = image.layers[-1]
    files = read_files(repository.blobs, layer, want=bool)
    assert [file.entry.path async for file in files] == ["manifests/a.yaml", "built/tool"]
    assert image.layers[:-1] == base.image().layers
    assert image.config.labels == {"of": "mine", "an": "operator", "key": "value"}
    assert image.config.created == "1970-01-01T00:00:01+00:00"
