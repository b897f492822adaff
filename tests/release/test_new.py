# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio

import pytest

from okd_payload.errors import (
    InputError,
    InvalidDocument,
    InvalidReference,
    ReleaseError,
    StorageError,
)
from okd_payload.imagestream.openshift import parse_image_stream
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import LayoutLocation
from okd_payload.progress import ignore_progress
from okd_payload.release import codes, labels
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import ReleaseInput, make_input, override, pull_spec_tag
from okd_payload.release.new.assemble import put_on_base
from okd_payload.release.new.mappings import parse_mappings, read_mapping_files
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.new.publish import publish_release
from okd_payload.release.new.request import NewRequest, is_repetition, make, merged_stream, prepare
from okd_payload.release.new.sources import read_operator_folders, write_operator_folders
from okd_payload.release.new.stream_tags import read_image_stream
from okd_payload.release.times import from_seconds, parse_time

_DIGEST = "sha256:" + "1" * 64
_OTHER = "sha256:" + "2" * 64


class _Places:
    """Opens the repositories of a world by location."""

    def __init__(self, world):
        self._world = world

    async def __call__(self, location):
        if isinstance(location, LayoutLocation):
            return LayoutRepository(location.path)
        known = (self._world.target, self._world.repository)
        return next(each for each in known if each.name == location.repository)


async def _make(world, request):
    prepared = await prepare(
        request,
        open_location=_Places(world),
        repository_of=world.repository_of,
        progress=ignore_progress,
    )
    return prepared, await make(
        request, prepared, repository_of=world.repository_of, progress=ignore_progress
    )


@pytest.fixture
async def source(world, manifest):
    """A published release with an operator and its operand."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a", v="0.0.1-snapshot")})
    release = await world.release(previous=("4.19.0",), metadata={"url": "https://x.test"})
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    return release


_SOURCE = "quay.test/okd/release:x"


async def test_the_same_again(world, source):
    """A release of which nothing is changed is made again, with the same digest."""
    request = NewRequest(release=_SOURCE)
    prepared, (_, payload) = await _make(world, request)
    again = await put_on_base(
        payload,
        f"quay.test/okd/content@{world.tags['cluster-version-operator']}",
        repository_of=world.repository_of,
    )
    assert request.repeats
    assert again.digest == source.digest
    assert is_repetition(prepared.source, again)


async def test_what_an_heir_inherits(world, source):
    """Name, edges and metadata come from the source unless given; where it came from is noted."""
    request = NewRequest(release=_SOURCE, previous=("4.19.5",))
    assert not request.repeats
    _, (_, payload) = await _make(world, request)
    assert payload.name == source.name
    assert payload.metadata.previous == ("4.19.5",)
    assert payload.metadata.metadata == {"url": "https://x.test"}
    assert payload.references.metadata.annotations == {labels.FROM_RELEASE: _SOURCE}


async def test_another_base_of_an_heir(world, source):
    """The base of an heir is the tag that its source was put on, wherever that leads now."""
    image = await world.add_base(labels={"mine": "yes"})
    mine = f"quay.test/okd/content@{image.digest}"
    request = NewRequest(release=_SOURCE, mappings={"cluster-version-operator": mine})
    prepared, _ = await _make(world, request)
    assert prepared.options.base_tag == "cluster-version-operator"
    assert prepared.base == ""
    assert prepared.given.tags[0].origin.name == mine


async def test_lost_base(world, source):
    """A release whose base is none of its images needs to be told one."""
    request = NewRequest(release=_SOURCE, excluded=frozenset({"cluster-version-operator"}))
    prepared, _ = await _make(world, request)
    assert prepared.given.names == ["op"]
    other = await world.add("other")
    release = await put_on_base(
        source.payload, f"quay.test/okd/content@{other.digest}", repository_of=world.repository_of
    )
    await publish_release(release, world.target, tag="lost", repository_of=world.repository_of)
    lost = "quay.test/okd/release:lost"
    with pytest.raises(ReleaseError, match="specify --to-image-base"):
        await _make(world, NewRequest(release=lost, previous=()))
    prepared, _ = await _make(world, NewRequest(release=lost, base_tag="op"))
    assert prepared.options.base_tag == "op"
    prepared, _ = await _make(world, NewRequest(release=lost, keep_lists=True))
    assert prepared.base == lost


async def test_tags_of_a_repository(world, manifest):
    """The tags of a repository are a stream; pull specs name where it will be published."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    request = NewRequest(
        repository=world.repository.name,
        published_as="quay.test/okd/content",
        options=ReleaseOptions(name="1.0.0"),
        excluded=frozenset({"nothing"}),
    )
    prepared, (_, payload) = await _make(world, request)
    assert prepared.given.tags == world.given.tags
    assert payload.issues == ()
    stream = merged_stream(prepared, now=from_seconds(0))
    assert stream.metadata.name == "1.0.0"


async def test_folders_there_and_back(world, manifest, tmp_path):
    """Manifests that were kept give the same payload without any image being read."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a", v="0.0.1-snapshot"), "sub/b.yaml": "x"})
    request = NewRequest(
        repository=world.repository.name,
        published_as="quay.test/okd/content",
        options=ReleaseOptions(name="1.0.0"),
    )
    _, (parts, payload) = await _make(world, request)
    write_operator_folders(parts, payload, tmp_path)
    assert (tmp_path / "op" / "sub" / "b.yaml").read_text() == "x"
    world.repository.operations.clear()
    options = ReleaseOptions(name="1.0.0", created=payload.created)
    again = NewRequest(folder=tmp_path, options=options)
    _, (_, second) = await _make(world, again)
    assert second.files == payload.files
    assert world.repository.operations == []


async def test_faults_of_folders(world, tmp_path):
    """A mapping without a folder, a stream that is none, and places that cannot be used."""
    (tmp_path / "op").mkdir()
    with pytest.raises(ReleaseError, match="missing image data new"):
        await _make(world, NewRequest(folder=tmp_path, mappings={"new": "q.io/x:1"}))
    (tmp_path / "image-references").write_text('{"kind": "List"}')
    with pytest.raises(InvalidDocument, match="not an ImageStream"):
        read_operator_folders(tmp_path)
    with pytest.raises(StorageError):
        read_operator_folders(tmp_path / "nowhere")


async def test_kept_manifests_need_a_place(world, manifest, tmp_path):
    """Keeping manifests where nothing can be written is an error that names the place."""
    await world.add_base()
    request = NewRequest(
        repository=world.repository.name,
        published_as="quay.test/okd/content",
        options=ReleaseOptions(name="1.0.0"),
    )
    _, (parts, payload) = await _make(world, request)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file/x"):
        write_operator_folders(parts, payload, tmp_path / "file" / "x")


def _stream(tags, *, status=None, public="p.test/r"):
    head = "kind: ImageStream\napiVersion: image.openshift.io/v1\n"
    text = f"{head}spec: {{tags: [{tags}]}}\nstatus: {{publicDockerImageRepository: '{public}'"
    return parse_image_stream(f"{text}, tags: [{status or ''}]}}\n".encode(), path="stream")


def _item(digest, *, generation=1, pull_spec="a.test/b"):
    return (
        f"{{image: '{digest}', generation: {generation},"
        f" dockerImageReference: '{pull_spec}@{digest}'}}"
    )


def test_failed_imports_are_told_together():
    """Every tag that should have an image and has none is an issue."""
    failed = "{tag: %s, conditions: [{type: ImportSuccess, status: 'False'}]}"
    given = read_image_stream(
        _stream(
            "{name: a, from: {kind: DockerImage, name: 'a.test/a:1'}}",
            status=", ".join([failed % "a", failed % "b", "{tag: c}"]),
        )
    )
    assert [(issue.code, issue.component) for issue in given.issues] == [
        (codes.TAG_NOT_IMPORTED.code, "a"),
        (codes.TAG_NOT_IMPORTED.code, "b"),
    ]
    assert given.tags == ()


def test_an_imported_tag_without_image():
    """A tag whose newest image has no digest is not imported."""
    given = read_image_stream(
        _stream(
            "{name: a, from: {kind: DockerImage, name: 'a.test/a:1'}}",
            status="{tag: a, items: [{generation: 1}]}, {tag: b, items: [{generation: 1}]}",
        )
    )
    assert [issue.component for issue in given.issues] == ["a"]


def test_tags_without_a_public_place():
    """In source mode, what is only in a cluster's own registry is left out."""
    stream = parse_image_stream(
        b"kind: ImageStream\napiVersion: image.openshift.io/v1\n"
        b"spec: {tags: [{name: a, from: {kind: DockerImage, name: 'in:5000/x@%b'}}]}\n"
        b"status: {dockerImageRepository: 'in:5000'}\n" % _DIGEST.encode(),
        path="stream",
    )
    assert read_image_stream(stream, mode="source").tags == ()
    with pytest.raises(InputError, match="public image repository"):
        read_image_stream(stream)


def test_pull_specs_that_are_none():
    """A wrong pull spec names its tag."""
    with pytest.raises(InvalidReference, match="tag 'a'"):
        read_image_stream(_stream("{name: a, from: {kind: DockerImage, name: 'UP//x'}}"))


def test_same_tag_twice():
    """A tag that is given twice counts once; two images for it are an error, one is a warning."""
    same = "{name: a, from: {kind: DockerImage, name: 'a.test/b@%s'}}"
    equal = read_image_stream(_stream(f"{same % _DIGEST}, {same % _DIGEST}"))
    assert [(issue.code, issue.blocks) for issue in equal.issues] == [("duplicate-tag", False)]
    other = read_image_stream(_stream(f"{same % _DIGEST}, {same % _OTHER}"))
    assert [issue.blocks for issue in other.issues] == [True]
    assert other.names == ["a"]


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../../b", "/etc", "a//b"])
def test_names_that_lead_elsewhere(name):
    """Names of tags become names of files, so they must not lead out of their folder."""
    with pytest.raises(InputError, match="no name for a tag"):
        make_input([pull_spec_tag(name, "q.io/x:1")])
    with pytest.raises(InputError, match="no name for a tag"):
        override(ReleaseInput(), {name: "q.io/x:1"})


def test_status_decides_after_a_change():
    """A tag that was changed and imported again is what was imported."""
    given = read_image_stream(
        _stream(
            f"{{name: a, generation: 2, from: {{kind: DockerImage, name: 'a.test/b@{_DIGEST}'}}}}",
            status=f"{{tag: a, items: [{_item(_OTHER, generation=2)}]}}",
        )
    )
    assert given.tags[0].origin.name == f"p.test/r@{_OTHER}"


def test_mapping_files(tmp_path):
    """Comments and blank lines mean nothing, two mappings may share a line."""
    path = tmp_path / "map"
    path.write_text("# all\n\n a=x/y:1 b=x/y:2 # two\n")
    assert read_mapping_files([path]) == {"a": "x/y:1", "b": "x/y:2"}
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidDocument, match="not UTF-8") as caught:
        read_mapping_files([path])
    assert caught.value.hint
    path.unlink()
    with pytest.raises(InvalidDocument) as caught:
        read_mapping_files([path])
    assert caught.value.message == f"{path}: No such file or directory"


@pytest.mark.parametrize("arguments", [["a"], ["a="], ["=x"], ["a=1", "a=2"]])
def test_wrong_mappings(arguments):
    """A mapping without a side, and a name given twice, are refused."""
    with pytest.raises(InputError):
        parse_mappings(arguments)


async def test_work_ends_with_the_first_error():
    """When one item fails, the others are stopped, and the error is the item's own."""
    stopped = []

    async def work(number):
        if number == 2:
            raise ReleaseError("two")
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(number)

    with pytest.raises(ReleaseError, match="two"):
        await map_concurrently(work, [1, 2, 3], at_once=3)
    assert sorted(stopped) == [1, 3]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-02T03:04:05"])
def test_times_that_are_none(text):
    """What is no moment, or not one everywhere, is no time."""
    assert parse_time(text) is None
