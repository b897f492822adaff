# SPDX-License-Identifier: Apache-2.0
"""Whole builds with the real buildah: what the images are."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from okd_payload.build.engine import CopiedFiles
from okd_payload.catalog.component import Argument, Copy, Layering
from okd_payload.engines.buildah import Network, Secret
from okd_payload.errors import BuildError, StorageError, TransientBuildError
from okd_payload.locations import Locations
from okd_payload.oci import media_types
from okd_payload.oci.config import AddedLayer, change_config
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import read_image
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.manifest import ImageManifest, encode_manifest
from okd_payload.testing.images import blob_of, push_blob
from okd_payload.testing.memory_repository import MemoryRepository

pytestmark = pytest.mark.integration

OCI = (media_types.OCI_CONFIG, media_types.OCI_MANIFEST)
DOCKER = (media_types.DOCKER_CONFIG, media_types.DOCKER_MANIFEST)
RUN_AND_COPY = "FROM base\nRUN echo built > /built && rm -r /srv/removed\nCOPY file /srv/\n"


async def test_an_image_is_its_base_and_one_layer(room) -> None:
    """The parent's descriptors come first and unchanged, the own layer holds only what changed."""
    base = await read_image(room.repository, room.base)

    image = await room.build(RUN_AND_COPY)

    assert image.layers[:-1] == base.layers
    members = await room.members(image.layers[-1])
    assert {"built", "srv/file", "srv/.wh.removed"} <= members.keys()
    assert "bin/busybox" not in members
    assert {member.mtime for member in members.values()} == {1_000_000_000}
    assert image.config.diff_ids[:-1] == base.config.diff_ids


async def test_an_image_is_of_one_family(room) -> None:
    """Manifest, configuration and layers are OCI's."""
    image = await room.build("FROM base\nCOPY file /\n")

    assert image.manifest.media_type == media_types.OCI_MANIFEST
    assert image.content.config.media_type == media_types.OCI_CONFIG
    assert {layer.media_type for layer in image.layers} == {media_types.OCI_LAYER_GZIP}


async def test_the_configuration_says_nothing_of_the_build(room, labels) -> None:
    """Time, labels and history come from the step, not from buildah or this machine."""
    image = await room.build(
        'FROM base\nENV A=b\nCOPY file /\nENTRYPOINT ["/bin/true"]\n', labels=labels
    )

    assert image.config.created == "2001-09-09T01:46:40Z"
    assert image.config.labels == {"build.key": "abc", "of.the.base": "replaced"}
    assert image.config.config.env == ("PATH=/bin", "A=b")
    assert image.config.config.entrypoint == ("/bin/true",)
    own = image.config.history[-3:]
    assert [entry.created_by for entry in own] == [
        "/bin/sh -c #(nop) ENV A=b",
        "/bin/sh -c #(nop) COPY in /",
        '/bin/sh -c #(nop) ENTRYPOINT ["/bin/true"]',
    ]
    assert {entry.created for entry in own} == {"2001-09-09T01:46:40Z"}
    assert [entry.empty_layer for entry in own] == [True, True, False]


async def test_equal_steps_give_equal_images(room, cold_room) -> None:
    """Neither the folder nor what was built there before leaves a trace."""
    first = await room.build(RUN_AND_COPY)
    again = await room.build(RUN_AND_COPY)
    elsewhere = await cold_room.build(RUN_AND_COPY)

    assert first.digest == again.digest == elsewhere.digest


async def test_each_instruction_can_have_its_layer(room) -> None:
    """Layering.EACH keeps the layers that instructions make, with a history that fits."""
    base = await read_image(room.repository, room.base)

    image = await room.build(RUN_AND_COPY, layering=Layering.EACH)

    own = image.layers[len(base.layers) :]
    assert ["built" in await room.members(layer) for layer in own] == [True, False]
    assert ["srv/file" in await room.members(layer) for layer in own] == [False, True]
    assert sum(not entry.empty_layer for entry in image.config.history) == len(image.layers)


async def test_files_of_images_are_copied_before_the_build(room) -> None:
    """Copies land relative to the repository's root, where the context can use them."""
    copies = CopiedFiles(room.base, (Copy("/bin/busybox", "images/pod"),))

    image = await room.build(
        "FROM scratch\nCOPY busybox /copied\n",
        files={"images/pod/Dockerfile": ""},
        context_directory="images/pod",
        copied_files=(copies,),
    )

    assert "copied" in await room.members(image.layers[-1])


async def test_an_image_can_be_made_of_images_only(room) -> None:
    """A step without source has an empty context."""
    image = await room.build("FROM base\nCOPY . /all/\n", source=None, commit=None)

    assert [name for name in await room.members(image.layers[-1]) if name != "all"] == []


async def test_every_way_to_name_an_image_works(room) -> None:
    """FROM with variables, COPY --from and mounts take images by the operands as written."""
    operands = ("${WHERE}", "quay.io/org/tools:1", "host:5000/x/y@sha256:" + "a" * 64, "plain")
    image = await room.build(
        "ARG WHERE=registry.example.com/ocp/builder:rhel-9\n"
        "FROM ${WHERE} AS first\n"
        "RUN echo first > /first\n"
        "FROM plain\n"
        "COPY --from=first /first /\n"
        f"COPY --from={operands[2]} /bin/busybox /second\n"
        "RUN --mount=type=bind,from=quay.io/org/tools:1,source=/bin,target=/mnt"
        " cp /mnt/busybox /third\n",
        images=dict.fromkeys(operands, room.base),
    )

    members = await room.members(image.layers[-1])
    assert {"first", "second", "third"} <= members.keys()


async def test_arguments_and_time_reach_the_build_only(room) -> None:
    """Build arguments and SOURCE_DATE_EPOCH are seen by RUN and not kept in the image."""
    image = await room.build(
        "FROM base\nARG WHO=nobody\nRUN echo $WHO $SOURCE_DATE_EPOCH > /seen\n",
        build_arguments=(Argument("WHO", "wrong"), Argument("WHO", "a b")),
    )

    assert await room.read(image.layers[-1], "seen") == "a b 1000000000\n"
    assert image.config.config.env == ("PATH=/bin",)
    assert b"a b" not in image.config_bytes
    assert b"1000000000" not in image.config_bytes


async def test_a_build_without_network_has_only_itself(room) -> None:
    """Network.NONE leaves a loopback device, and the image is the same as with network."""
    dockerfile = "FROM base\nRUN ip -o link | cut -d: -f2 | grep -v sit > /devices; true\n"
    image = await room.build(dockerfile, settings={"network": Network.NONE})
    assert await room.read(image.layers[-1], "devices") == " lo\n"

    plain = "FROM base\nRUN echo hi > /x\n"
    offline = await room.build(plain, settings={"network": Network.NONE})
    assert offline.digest == (await room.build(plain)).digest


async def test_a_secret_is_seen_and_not_kept(room, tmp_path) -> None:
    """A secret is there during one RUN; neither the layer nor the log has it."""
    (tmp_path / "token").write_text("hunter2")
    image = await room.build(
        "FROM base\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length\n",
        settings={"secrets": (Secret(id="token", file=str(tmp_path / "token")),)},
    )

    assert (await room.read(image.layers[-1], "length")).strip() == "7"
    assert b"hunter2" not in await room.archive(image.layers[-1])
    assert "hunter2" not in room.log.read_text()


async def test_builds_run_side_by_side(room) -> None:
    """Builds at the same time, on a parent that none has imported yet, do not meet."""
    parent = await room.build("FROM base\nRUN echo parent > /parent\n")
    engine = room.engine()
    steps = [
        room.step(f"FROM base\nRUN echo {number} > /number\n", images={"base": parent.digest})
        for number in range(4)
    ]

    digests = await asyncio.gather(
        *(engine.build(step, log=room.path / f"{n}.log") for n, step in enumerate(steps))
    )

    layers = [(await read_image(room.repository, digest)).layers[-1] for digest in digests]
    assert [await room.read(layer, "number") for layer in layers] == [
        f"{number}\n" for number in range(4)
    ]


async def test_the_log_begins_with_how_to_do_it_again(room) -> None:
    """A log tells source, images and command, then everything that buildah printed."""
    await room.build("FROM base\nRUN echo said by the build\n")

    lines = room.log.read_text().splitlines()
    assert lines[0].startswith("# build component for linux/")
    assert lines[1] == f"# base is {room.base}"
    assert lines[2].startswith("$ buildah --root=")
    assert "said by the build" in lines


async def test_a_failing_instruction_is_named(room) -> None:
    """The error shows the instruction and what it printed, and where to read on."""
    with pytest.raises(BuildError) as failure:
        await room.build("FROM base\nRUN echo before; ls /nothing\n")

    assert "RUN echo before; ls /nothing failed" in failure.value.message
    assert "  before\n  ls: /nothing: No such file or directory" in failure.value.message
    assert failure.value.hint == "`okd-payload logs component` shows everything"
    assert not isinstance(failure.value, TransientBuildError)
    assert room.leftovers() == []


async def test_a_passing_failure_is_transient(room) -> None:
    """What a package manager says about the network makes the failure one to try again."""
    said = "curl: (6) Could not resolve host: mirror.example.com"
    with pytest.raises(TransientBuildError):
        await room.build(f"FROM base\nRUN echo '{said}'; false\n")


async def test_a_context_outside_of_the_source_is_refused(room) -> None:
    """Neither a missing folder nor one elsewhere becomes the context."""
    for folder in ("nowhere", "../.."):
        with pytest.raises(BuildError, match="has no folder"):
            await room.build("FROM scratch\nCOPY . /\n", context_directory=folder)


async def test_the_context_may_ignore_files(room) -> None:
    """A .dockerignore in the context counts."""
    image = await room.build(
        "FROM base\nCOPY . /all/\n", files={"a": "", "b": "", ".dockerignore": "b\n"}
    )

    members = await room.members(image.layers[-1])
    assert "all/a" in members
    assert "all/b" not in members


async def test_content_may_be_kept_anywhere(base_room, cold_room) -> None:
    """Parents are read from, and images written to, any repository, not only layouts."""
    base = await read_image(base_room.repository, base_room.base)
    memory = MemoryRepository()
    for descriptor in (base.content.config, *base.layers):
        chunks = [chunk async for chunk in base_room.repository.blobs.read(descriptor)]
        memory.blobs.contents[descriptor.digest] = b"".join(chunks)
    await memory.manifests.put(base.manifest)
    cold_room.repository = memory

    image = await cold_room.build("FROM base\nRUN echo built > /built\n")

    assert image.layers[:-1] == base.layers
    assert await cold_room.read(image.layers[-1], "built") == "built\n"


@pytest.mark.parametrize("name", [".local", "Own State", "ünï'ted%"])
async def test_the_storage_may_have_any_name(cold_room, name) -> None:
    """What is no name of an image, such as .local where state is by default, is fine."""
    cold_room.locations = Locations(cache=cold_room.path / "cache", state=cold_room.path / name)

    assert await cold_room.build("FROM base\nRUN true\n")


@pytest.mark.parametrize("name", ["a:b", "a,b", 'a"b', "a\\b", "a\nb"])
async def test_a_storage_that_options_cannot_name_is_refused(cold_room, name) -> None:
    """Buildah and overlay mounts take these characters apart, so another folder is asked for."""
    cold_room.locations = Locations(cache=cold_room.path / "cache", state=cold_room.path / name)

    with pytest.raises(StorageError, match="buildah cannot work in") as caught:
        await cold_room.build("FROM base\nRUN true\n")

    assert "--state" in caught.value.hint


async def test_storage_that_lost_an_image_mends_itself(cold_room) -> None:
    """The build that finds out fails as transient, and the next one imports again."""
    await cold_room.build("FROM base\nRUN true\n")
    shutil.rmtree(cold_room.locations.buildah / "parents" / "root")
    (cold_room.locations.buildah / "parents" / "root").mkdir()

    with pytest.raises(TransientBuildError, match="lost an image"):
        await cold_room.build("FROM base\nRUN true\n")

    assert await cold_room.build("FROM base\nRUN true\n")


async def test_storage_can_be_emptied_when_nobody_builds(cold_room) -> None:
    """Pruning waits for nobody and removes nothing in use."""
    engine = cold_room.engine()
    assert await engine.prune()
    step = cold_room.step("FROM base\nRUN sleep 0.5\n")
    build = asyncio.create_task(engine.build(step, log=cold_room.log))
    imported = cold_room.locations.buildah / "parents" / "imported"
    while not imported.exists():  # noqa: ASYNC110 - another program makes the folder
        await asyncio.sleep(0.02)

    assert not await engine.prune()
    await build
    assert await engine.prune()

    assert not (cold_room.locations.buildah / "parents").exists()


async def test_bases_of_any_kind_keep_their_blobs(room) -> None:
    """Docker's layers get OCI's names, zstd layers stay zstd; no blob is made again."""
    zstd = pytest.importorskip("backports.zstd")
    base = await read_image(room.repository, room.base)
    archive = await room.archive(base.layers[0])
    for content, layer_type, config_type, manifest_type in (
        (zstd.compress(archive), media_types.OCI_LAYER_ZSTD, *OCI),
        (archive, media_types.DOCKER_LAYER, *DOCKER),
    ):
        memory = MemoryRepository()
        layer = blob_of(content, layer_type)
        memory.blobs.contents[layer.digest] = content
        config = blob_of(base.config_bytes, config_type)
        memory.blobs.contents[config.digest] = base.config_bytes
        manifest = encode_manifest(
            ImageManifest(config=config, layers=(layer,), media_type=manifest_type)
        )
        await memory.manifests.put(manifest)
        room.repository, room.base = memory, manifest.digest

        image = await room.build("FROM base\nRUN echo built > /built\n")

        assert image.layers[0].digest == layer.digest
        assert image.layers[0].media_type.startswith("application/vnd.oci.image.layer")
        assert image.manifest.media_type == media_types.OCI_MANIFEST
        assert await room.read(image.layers[1], "built") == "built\n"


async def test_storage_drivers_give_the_same_image(room, cold_room) -> None:
    """An overlay's copies, opaque folders and touched folders are no part of an image."""
    dockerfile = (
        "FROM base\n"
        "RUN rm -r /srv/removed /tmp && mkdir -m 1777 /tmp && touch /srv/kept/new\n"
        "RUN chmod -R u+r /bin && rm /bin/zcat && mkdir /new && touch /bin/busybox\n"
    )

    image = await room.build(dockerfile)
    copied = await cold_room.build(dockerfile, settings={"storage_driver": "vfs"})

    assert copied.digest == image.digest
    assert sorted(await room.members(image.layers[-1])) == [
        *("bin", "bin/.wh.zcat", "new", "srv", "srv/.wh.removed", "srv/kept", "srv/kept/new")
    ]


async def test_images_of_many_layers_can_be_built_on(room) -> None:
    """More layers than names fit a page, in every place where an image can be used, twice."""
    base = await read_image(room.repository, room.base)
    room.repository, room.base = await with_more_layers(room.repository, base, 45)
    dockerfile = (
        "FROM other\nRUN echo first > /first\n"
        "FROM base\n"
        "COPY --from=third /file-44 /third\n"
        "RUN --mount=type=bind,from=third,target=/mnt cp /mnt/file-30 /fourth && rm /file-3\n"
    )
    images = dict.fromkeys(("base", "other", "third"), room.base)

    image = await room.build(dockerfile, images=images)
    again = await room.build(dockerfile, images=images)

    assert sorted(await room.members(image.layers[-1])) == [".wh.file-3", "fourth", "third"]
    assert again.digest == image.digest


async def with_more_layers(origin, image, number) -> tuple[MemoryRepository, Digest]:
    """``image`` with more layers of one file each, in a repository of its own."""
    repository = MemoryRepository()
    for layer in image.layers:
        chunks = [chunk async for chunk in origin.blobs.read(layer)]
        repository.blobs.contents[layer.digest] = b"".join(chunks)
    layers, added = list(image.layers), []
    for count in range(number):
        archive = encode_header(Entry(name=f"file-{count}")) + bytes(1024)
        layers.append(await push_blob(repository, archive, media_types.OCI_LAYER))
        added.append(AddedLayer(diff_id=layers[-1].digest))
    content = change_config(image.config_bytes, added=added)
    config = await push_blob(repository, content, media_types.OCI_CONFIG)
    manifest = encode_manifest(
        ImageManifest(config=config, layers=tuple(layers), media_type=media_types.OCI_MANIFEST)
    )
    await repository.manifests.put(manifest)
    return repository, manifest.digest


async def test_a_stage_can_stand_on_a_stage(room) -> None:
    """Then each of the two has a layer, and the history fits."""
    image = await room.build(
        "FROM base AS first\nRUN echo first > /first\nFROM first\nRUN echo second > /second\n"
    )

    assert "first" in await room.members(image.layers[-2])
    assert "second" in await room.members(image.layers[-1])
    assert sum(not entry.empty_layer for entry in image.config.history) == len(image.layers)
