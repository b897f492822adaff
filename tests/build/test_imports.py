# SPDX-License-Identifier: Apache-2.0
"""Bringing images in: copied from elsewhere, or made of what a program writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import AMD64
from workshop import Workshop

from okd_payload.build.images import NO_SOURCE_TIME, StreamImages
from okd_payload.build.imports import Importer
from okd_payload.build.plan import ExternalNode, ImportNode
from okd_payload.build.root_command import command_key
from okd_payload.errors import BuildError, InputError, MissingTool, NotFound, StorageError
from okd_payload.oci.image import read_image
from okd_payload.oci.layers.read import read_files
from okd_payload.oci.manifest import Platform
from okd_payload.progress import Advanced
from okd_payload.testing.images import push_image, push_index

SCRIPT = """\
#!/bin/sh
# Writes a root file system of one file.
set -e
folder=$(mktemp -d)
mkdir "$folder/etc"
echo "$1" > "$folder/etc/name"
tar -c -C "$folder" .
rm -r "$folder"
"""


FOREIGN = """\
#!/bin/sh
set -e
folder=$(mktemp -d)
mkdir "$folder/bin"
printf '\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\267\\0' > "$folder/bin/sh"
tar -c -C "$folder" .
rm -r "$folder"
"""
"""Writes a root file system with one program, of an arm64 machine."""


@pytest.fixture
def importer(workshop: Workshop) -> Importer:
    """What brings images into the content repository."""
    return Importer(workshop.images, workshop.places.repository_of, workshop.events.append)


def command(folder: Path, text: str = SCRIPT, *arguments: str) -> ImportNode:
    """An import by a program with this text."""
    script = folder / "root.sh"
    script.write_text(text)
    script.chmod(0o755)
    return ImportNode(
        name="root", command=(str(script), *(arguments or ("one",))), directory=str(folder)
    )


async def test_what_a_command_writes_becomes_an_image(
    workshop: Workshop, importer: Importer, tmp_path: Path
):
    """One reproducible layer with the files, for the platform, from no particular time."""
    node = command(tmp_path)
    assert await importer.find(node) is None
    made = await importer.bring(node, log=tmp_path / "log")
    assert made.timestamp == NO_SOURCE_TIME
    image = await read_image(workshop.content, made.digest, platform=AMD64)
    assert image.config.architecture == "amd64"
    (layer,) = image.layers
    found = read_files(workshop.content.blobs, layer, want=lambda _: True)
    assert [(file.entry.path, file.content) async for file in found] == [("etc/name", b"one\n")]
    assert await importer.find(node) == made


async def test_a_command_that_writes_the_same_makes_the_same_image(
    importer: Importer, tmp_path: Path
):
    """Another comment in the script is another command, and no other image."""
    first = await importer.bring(command(tmp_path), log=tmp_path / "log")
    changed = command(tmp_path, SCRIPT + "# and another comment\n")
    assert await importer.find(changed) is None
    assert await importer.bring(changed, log=tmp_path / "log") == first
    assert await importer.find(changed) == first


async def test_a_command_is_told_for_which_machine(
    workshop: Workshop, importer: Importer, tmp_path: Path
):
    """The words are those of a Dockerfile."""
    told = 'echo "$TARGETPLATFORM $TARGETOS $TARGETARCH <$TARGETVARIANT>" >&2'
    await importer.bring(command(tmp_path, f"{SCRIPT}{told}\n"), log=tmp_path / "log")
    assert (tmp_path / "log").read_text() == "linux/amd64 linux amd64 <>\n"


async def test_a_system_of_another_machine_is_refused(importer: Importer, tmp_path: Path):
    """Otherwise the image would say that it runs where nothing of it does."""
    with pytest.raises(
        BuildError, match="programs for arm64, and the image is for linux/amd64"
    ) as (caught):
        await importer.bring(command(tmp_path, FOREIGN), log=tmp_path / "log")
    assert "TARGETARCH" in caught.value.hint


async def test_a_system_of_the_machine_that_is_asked_for_is_taken(
    workshop: Workshop, tmp_path: Path
):
    """Whatever this machine is."""
    images = StreamImages(workshop.content, Platform("arm64"))
    importer = Importer(images, workshop.places.repository_of, workshop.events.append)
    made = await importer.bring(command(tmp_path, FOREIGN), log=tmp_path / "log")
    image = await read_image(workshop.content, made.digest)
    assert image.config.architecture == "arm64"


@pytest.mark.parametrize("change", ["arguments", "platform"])
def test_what_decides_the_root_decides_its_key(change: str, tmp_path: Path):
    """Other words, or another machine, are another root."""
    other = command(tmp_path, SCRIPT, "two" if change == "arguments" else "one")
    platform = Platform("arm64") if change == "platform" else AMD64
    assert command_key(command(tmp_path), AMD64) != command_key(other, platform)


def test_a_program_of_the_path_has_a_key(tmp_path: Path):
    """Programs without a slash are taken by their name."""
    node = ImportNode(name="root", command=("mmdebstrap", "bookworm"), directory=str(tmp_path))
    other = ImportNode(name="root", command=("mmdebstrap", "trixie"), directory=str(tmp_path))
    assert command_key(node, AMD64) != command_key(other, AMD64)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("#!/bin/sh\necho oops >&2\nexit 3\n", "ended with code 3", "okd-payload logs root"),
        ("#!/bin/sh\n", "it printed nothing", "prints a tar archive"),
        ("#!/bin/sh\necho hello\n", "wrote no root file system", "prints a tar archive"),
    ],
)
async def test_a_command_that_fails_says_how(
    importer: Importer, tmp_path: Path, text: str, message: str, hint: str
):
    """The import, its command and what was wrong are named; the log has what it said."""
    with pytest.raises(BuildError) as caught:
        await importer.bring(command(tmp_path, text), log=tmp_path / "log")
    assert message in caught.value.message
    assert "import root" in caught.value.message
    assert hint in caught.value.hint
    if "oops" in text:
        assert (tmp_path / "log").read_text() == "oops\n"


async def test_a_script_that_is_not_there_is_an_input_to_mend(importer: Importer, tmp_path: Path):
    """The message says which file cannot be read, before anything runs."""
    node = ImportNode(name="root", command=(f"{tmp_path}/none.sh",), directory=str(tmp_path))
    with pytest.raises(InputError) as caught:
        await importer.find(node)
    assert "import root: cannot read" in caught.value.message
    assert "relative to the stream file" in caught.value.hint


async def test_a_program_that_is_not_installed(importer: Importer, tmp_path: Path):
    """A program of the path that this machine lacks is a missing tool."""
    node = ImportNode(name="root", command=("no-such-program",), directory=str(tmp_path))
    with pytest.raises(MissingTool):
        await importer.bring(node, log=tmp_path / "log")


async def test_a_log_that_cannot_be_written(importer: Importer, tmp_path: Path):
    """A full or absent disk is an error of the storage."""
    with pytest.raises(StorageError):
        await importer.bring(command(tmp_path), log=tmp_path / "none" / "log")


async def test_an_image_of_elsewhere_is_copied_once(
    workshop: Workshop, importer: Importer, tmp_path: Path
):
    """It keeps its digest, is found again, and its progress goes by the name of the node."""
    image = await push_image(workshop.registry("quay.io/okd/os"), layers=[b"x" * 5000])
    node = ExternalNode(name="quay.io/okd/os:1", reference=f"quay.io/okd/os@{image.digest}")
    assert await importer.find(node) is None
    made = await importer.bring(node, log=tmp_path / "log")
    assert made.digest == image.digest
    assert await importer.find(node) == made
    assert {(type(event), event.subject) for event in workshop.events} == {
        (Advanced, "quay.io/okd/os:1")
    }


async def test_an_index_is_copied_whole(workshop: Workshop, importer: Importer, tmp_path: Path):
    """An image for several machines stays one, so that its digest stays."""
    registry = workshop.registry("quay.io/okd/os")
    members = {
        name: await push_image(registry, architecture=name, layers=[name.encode()])
        for name in ("amd64", "arm64")
    }
    index = await push_index(registry, members)
    node = ImportNode(name="os", reference=f"quay.io/okd/os@{index.digest}")
    assert (await importer.bring(node, log=tmp_path / "log")).digest == index.digest


async def test_an_index_without_this_machine_is_refused(
    workshop: Workshop, importer: Importer, tmp_path: Path
):
    """The message says for which machines the image is."""
    registry = workshop.registry("quay.io/okd/os")
    index = await push_index(
        registry, {name: await push_image(registry, architecture=name) for name in ("arm64",)}
    )
    node = ImportNode(name="os", reference=f"quay.io/okd/os@{index.digest}")
    with pytest.raises(NotFound) as caught:
        await importer.bring(node, log=tmp_path / "log")
    assert "linux/arm64" in caught.value.hint


async def test_an_image_of_another_machine_is_refused(
    workshop: Workshop, importer: Importer, tmp_path: Path
):
    """Also one that is no index and so leaves no choice."""
    registry = workshop.registry("quay.io/okd/os")
    image = await push_image(registry, architecture="s390x")
    node = ImportNode(name="os", reference=f"quay.io/okd/os@{image.digest}")
    with pytest.raises(BuildError, match="an image for s390x, and linux/amd64 is built"):
        await importer.bring(node, log=tmp_path / "log")


async def test_an_image_must_be_pinned(importer: Importer):
    """A plan that was not frozen cannot be carried out."""
    with pytest.raises(BuildError, match="not pinned"):
        await importer.find(ImportNode(name="os", reference="quay.io/okd/os:1"))
