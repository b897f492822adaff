# SPDX-License-Identifier: Apache-2.0
"""What people type for a release, and which release it means."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile

import pytest

from okd_payload.locations import find_locations
from okd_payload.oci.layout import LayoutRepository
from okd_payload.testing.document_server import DocumentServer
from okd_payload.testing.images import push_image, push_index


def make_layer(name):
    """The layer of a release."""
    references = {"kind": "ImageStream", "apiVersion": "image.openshift.io/v1"}
    references["metadata"] = {"name": name}
    metadata = {"kind": "cincinnati-metadata-v0", "version": name, "previous": []}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for file, document in (("image-references", references), ("release-metadata", metadata)):
            content = json.dumps(document).encode()
            info = tarfile.TarInfo(f"release-manifests/{file}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def add(tmp_path):
    """Puts a release into a stream of this machine, or into another layout."""

    def add_release(name, *, stream="okd", tag="", content=""):
        folder = find_locations(state=tmp_path / "state").releases(stream)
        repository = LayoutRepository(folder)
        layer = make_layer(content or name)
        manifest = asyncio.run(push_image(repository, layers=[layer], tag=tag or name))
        return f"oci:{folder}@{manifest.digest}", manifest.digest

    return add_release


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """A current folder without a stream file."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def write_stream(folder, releases):
    """A stream file; its catalog is of no interest for finding releases."""
    publish = f"publish: {{releases: {releases}}}\n" if releases else ""
    path = folder / "stream.yaml"
    path.write_text(f"name: okd\ncatalog: [{{components: none}}]\n{publish}")
    return path


def test_a_name_of_a_built_release(run_cli, add):
    """What was built here is found by its name, in whichever stream."""
    _, digest = add("4.20.0", stream="mine")
    add("4.20.1", stream="other")
    ended = run_cli("release", "info", "--verify", "4.20.0")
    assert (ended.code, ended.out.split()[0]) == (0, digest)


def test_lint_takes_names_too(run_cli, add):
    """Every command finds releases in the same way."""
    add("4.20.0")
    assert "4.20.0: nothing bars it" in run_cli("release", "lint", "--files-only", "4.20.0").out


def test_a_name_in_two_streams_is_not_guessed(run_cli, add):
    """Two releases of one name are told with what to type for each."""
    add("4.20.0", stream="a")
    add("4.20.0", stream="b", content="4.20.0-b")
    ended = run_cli("release", "info", "4.20.0")
    assert ended.code == 2
    assert "the streams a and b each have another release 4.20.0" in ended.err
    assert "b/releases:4.20.0" in ended.err


def test_the_same_release_in_two_streams(run_cli, add):
    """One release in two streams needs no choice."""
    add("4.20.0", stream="a")
    add("4.20.0", stream="b")
    assert run_cli("release", "info", "--verify", "4.20.0").code == 0


def test_a_bare_version_needs_a_place(run_cli, add):
    """A name that nobody knows says what to give, and what is near."""
    ended = run_cli("release", "info", "4.20.0")
    assert ended.code == 2
    assert "unknown release '4.20.0'" in ended.err
    assert "--stream FILE, or --graph URL" in ended.err
    add("4.20.1")
    assert "did you mean 4.20.1?" in run_cli("release", "info", "4.20.0").err


def test_a_stream_file_leads_to_its_builds_and_then_to_its_repository(run_cli, add, tmp_path):
    """A release of a stream is taken from this machine, else from where the stream publishes."""
    with DocumentServer() as nothing:
        host = nothing.url.removeprefix("http://")
        path = write_stream(tmp_path, f"{host}/okd/release")
        _, digest = add("4.20.0")
        ended = run_cli("release", "info", "--verify", "--stream", path, "4.20.0")
        assert ended.out.startswith(digest)
        ended = run_cli("release", "info", "--stream", tmp_path, "4.20.9")
        assert ended.code == 1
        assert f"{host}/okd/release" in ended.err


def test_the_stream_file_of_the_current_folder(run_cli, add, tmp_path):
    """Where a stream file lies, its releases are known by name."""
    write_stream(tmp_path / "here", "")
    ended = run_cli("release", "info", "4.20.9")
    assert ended.code == 2
    assert "unknown release of okd '4.20.9'" in ended.err
    assert "publish.releases" in ended.err


def test_a_version_of_a_graph(run_cli, add):
    """With a graph, a version leads to the image that the graph names."""
    with DocumentServer() as it:
        payload = f"{it.url.removeprefix('http://')}/a@sha256:{'0' * 64}"
        graph = {"nodes": [{"version": "5.0.1", "payload": payload}]}
        it.documents["/graph?arch=arm64&channel=stable-5.0"] = json.dumps(graph).encode()
        ended = run_cli("release", "info", "--graph", f"{it.url}/graph", "--arch=arm64", "5.0.1")
        assert payload.partition("@")[0] in ended.err
        assert [target for target in it.requests if target.startswith("/graph")] == [
            "/graph?arch=arm64&channel=fast-5.0",
            "/graph?arch=arm64&channel=stable-5.0",
        ]
        ended = run_cli("release", "info", "--graph", f"{it.url}/graph?arch=arm64", "4.9.1")
        assert (ended.code, "404" in ended.err) == (1, True)


def test_a_member_of_an_index(run_cli, tmp_path):
    """The platform decides which release of a list is shown."""
    repository = LayoutRepository(tmp_path / "list")

    async def fill():
        members = {
            name: await push_image(repository, layers=[make_layer(f"4.20.0-{name}")])
            for name in ("amd64", "s390x")
        }
        return await push_index(repository, members, tag="multi")

    digest = asyncio.run(fill()).digest
    place = f"oci:{tmp_path / 'list'}:multi"
    ended = run_cli("release", "info", "--verify", "--filter-by-os=s390x", place)
    assert (ended.out.split()[0], ended.out.split()[-1]) == (digest, "4.20.0-s390x")
    ended = run_cli("release", "lint", "--files-only", "--filter-by-os=arm64", place)
    assert (ended.code, "linux/amd64, linux/s390x" in ended.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--graph=https://g.test", "--stream=."], "only one of --stream, --graph"),
        (["--arch=arm64"], "--arch goes with --graph"),
        (["--filter-by-os=("], "is no pattern"),
        (["--graph=g"], "cannot read g"),
    ],
)
def test_choices_that_make_no_sense(arguments, words, run_cli):
    """What cannot be meant is told before anything is read."""
    ended = run_cli("release", "info", *arguments, "4.20.0")
    assert (ended.code, words in ended.err) == (2, True)
