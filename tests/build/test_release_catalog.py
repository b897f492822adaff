# SPDX-License-Identifier: Apache-2.0
"""The catalog of a release: what its annotations say, and what becomes of the rest."""

from __future__ import annotations

import json

import pytest

from okd_payload.build.release_catalog import import_release
from okd_payload.catalog.definition import PulledImage
from okd_payload.catalog.writing.catalog_files import write_catalog
from okd_payload.catalog.writing.importing import Imported
from okd_payload.errors import MissingTool, SourceError
from okd_payload.release.load import Release, ReleaseContent, parse_release
from okd_payload.source.model import GitSource
from okd_payload.testing.memory_sources import MemorySourceTree

DIGEST = "0" * 64
VERSION = "4.15.0-0.okd-scos-2024-03-10-010116"
COMMITS = {name: f"{number:040d}" for number, name in enumerate(["etcd", "oc", "gone", "odd"])}
ADVICE = "write a component that names one"
PREFIX = "io.openshift.build."


def annotations(repo: str, *, ref: str = "release-4.15", commit: str | None = None) -> dict:
    """What an image says about its source."""
    return {
        f"{PREFIX}source-location": f"https://github.com/openshift/{repo}",
        f"{PREFIX}commit.id": COMMITS[repo] if commit is None else commit,
        f"{PREFIX}commit.ref": ref,
    }


def release(tags: dict[str, dict], *, version: str = VERSION) -> Release:
    """A release with ``tags`` and their annotations."""
    references = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": version},
        "spec": {
            "tags": [
                {
                    "name": name,
                    "annotations": said,
                    "from": {"kind": "DockerImage", "name": f"quay.test/{name}@sha256:{DIGEST}"},
                }
                for name, said in tags.items()
            ]
        },
    }
    content = json.dumps(references).encode()
    return parse_release(ReleaseContent(origin="test", files={"image-references": content}))


def git(repo: str, ref: str = "") -> GitSource:
    """A repository at a commit, or another ref."""
    return GitSource(url=f"https://github.com/openshift/{repo}", ref=ref or COMMITS[repo])


@pytest.fixture
def sources() -> MemorySourceTree:
    """Repositories as far as they can be read."""
    tree = MemorySourceTree()
    tree.put(git("etcd"), {"Dockerfile": "", "Dockerfile.ocp": "", "main.go": ""})
    tree.put(git("oc"), {"images/cli/Dockerfile.rhel": "", "images/tools/Dockerfile": ""})
    tree.put(git("odd"), {"test/Dockerfile.unit": ""})
    tree.fail(git("gone"), SourceError("no such repository", hint="ask its owner"))
    return tree


def components(imported: Imported) -> dict[str, tuple[str, str]]:
    """Ref and Dockerfile of each component."""
    found = {}
    for each in imported.catalog.definitions:
        assert isinstance(each.component.source, GitSource)
        found[each.component.name] = (each.component.source.ref, each.component.dockerfile_path)
    return found


TAGS = {
    "etcd": annotations("etcd"),
    "cli": annotations("oc"),
    "tools": annotations("oc"),
    "lost": annotations("gone"),
    "unit": annotations("odd", ref=""),
    "machine-os-content": {},
}


async def test_images_become_components(sources: MemorySourceTree) -> None:
    """At the commits of the release, with the Dockerfile that was found and why."""
    found = await import_release(release(TAGS), sources)
    assert components(found) == {
        "etcd": (COMMITS["etcd"], "Dockerfile.ocp"),
        "cli": (COMMITS["oc"], "images/cli/Dockerfile.rhel"),
        "tools": (COMMITS["oc"], "images/tools/Dockerfile"),
        "unit": (COMMITS["odd"], "test/Dockerfile.unit"),
    }
    assert found.catalog.evidence["etcd"] == (
        "Dockerfile.ocp: made for ocp. There are also Dockerfile.\n"
        f"The release has it from release-4.15 at {COMMITS['etcd']}."
    )
    assert (found.catalog.stream, found.catalog.version) == ("okd-scos", "4.15.0")


async def test_every_repository_is_read_once(sources: MemorySourceTree) -> None:
    """And nothing of it but the list of its files."""
    await import_release(release(TAGS), sources)
    asked = [operation for operation in sources.operations if "/oc@" in operation[1]]
    assert [verb for verb, _ in asked] == ["resolve", "list_files"]
    assert "read_file" not in {verb for verb, _ in sources.operations}


async def test_what_cannot_be_built_is_taken_over(sources: MemorySourceTree) -> None:
    """The rest goes on; the stream is whole, and says what stands in for what."""
    tags = TAGS | {"pod": annotations("odd")}
    found = await import_release(release(tags), sources)
    assert {entry.name: entry.stub for entry in found.catalog.imports} == {
        "lost": "its source cannot be read: no such repository",
        "machine-os-content": "",
        "pod": "no Dockerfile looks like that of pod; nearest: test/Dockerfile.unit",
    }
    contents = [entry.content for entry in found.catalog.imports]
    assert PulledImage(f"quay.test/lost@sha256:{DIGEST}") in contents
    assert [(issue.code, issue.component, issue.hint) for issue in found.issues] == [
        ("source-unavailable", "lost", "ask its owner"),
        ("missing-dockerfile", "pod", f"it has test/Dockerfile.unit: {ADVICE}"),
    ]
    files = write_catalog(found.catalog)
    assert files.issues == ()
    assert "stub: 'its source cannot be read: no such repository'" in files.stream.text


async def test_branches_can_be_followed(sources: MemorySourceTree) -> None:
    """The definition names the branch, where the image says one; the commit is where it is read."""
    found = await import_release(release(TAGS), sources, follow_branches=True, name="mine")
    assert components(found)["etcd"] == ("release-4.15", "Dockerfile.ocp")
    assert components(found)["unit"][0] == COMMITS["odd"]
    assert found.catalog.stream == "mine"


async def test_an_image_without_commit_is_read_at_its_branch(sources: MemorySourceTree) -> None:
    """Old payloads name a branch only, or nothing but the repository."""
    sources.put(git("etcd", "release-4.15"), {"Dockerfile": ""})
    tags = {"etcd": annotations("etcd", commit="")}
    found = await import_release(release(tags), sources)
    assert components(found) == {"etcd": ("release-4.15", "Dockerfile")}


async def test_a_machine_without_git_stops(sources: MemorySourceTree) -> None:
    """What is wrong with this machine is no fault of the release."""
    sources.fail(git("etcd"), MissingTool("git is not there"))
    with pytest.raises(MissingTool):
        await import_release(release(TAGS), sources)


@pytest.mark.parametrize(
    ("version", "stream", "number"),
    [
        ("4.20.0-0.nightly-2025-01-02-030405", "nightly", "4.20.0"),
        ("4.17.0-okd-scos.3", "imported", "4.17.0"),
        ("no version", "imported", ""),
    ],
)
async def test_names_of_releases(version: str, stream: str, number: str) -> None:
    """The stream is called as in the name of the release, where it has such a name."""
    found = await import_release(release({}, version=version), MemorySourceTree())
    assert (found.catalog.stream, found.catalog.version) == (stream, number)
