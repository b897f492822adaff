# SPDX-License-Identifier: Apache-2.0
"""The real catalog of 189 components: another branch, and a release of another list of images."""

from __future__ import annotations

from pathlib import Path

import pytest
from facts import read_trees, serve
from release_desk import RELEASE
from streams import AMD64

from okd_payload.build.sync.asking import BranchQuestions
from okd_payload.build.sync.branch_names import FALLBACKS
from okd_payload.build.sync.branching import Outcome
from okd_payload.build.sync.comparison import Comparison, compare
from okd_payload.build.sync.differences import Kind
from okd_payload.build.sync.file_changes import write_changes
from okd_payload.build.sync.mending import mend
from okd_payload.build.sync.release_images import ReleaseImage, ReleaseImages
from okd_payload.build.sync.survey import survey
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog, load_definitions
from okd_payload.progress import ignore_progress
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_branches import MemoryBranches

HELPERS = {"base", "builder", "forked-dockerfiles", "haproxy-router-base"}
"""Not in payloads, and needed by what is."""
UNUSED = "artifacts"
"""Packages that nothing in this variant is built on: only an operating system of Fedora was."""
UNREAD = ("alibaba-disk-csi-driver-operator", "azure-disk-csi-driver-operator")
UNREAD += ("azure-file-csi-driver-operator",)
"""Their Dockerfiles are not in the recordings."""


@pytest.fixture
def stream(shared_data: Path, tmp_path: Path) -> Path:
    """A stream of the real BuildConfigs, without what nobody can read."""
    variant = shared_data / "okd-payload-pipeline" / "variants" / "scos"
    path = tmp_path / "stream.yaml"
    path.write_text(
        f"name: okd\ncatalog: [{{kustomization: '{variant}'}}]\n"
        f"overlays: [{{for: [{', '.join(UNREAD)}], skip: not recorded}}]\n"
    )
    return path


def release_of(catalog: Catalog, *, without: set[str], renamed: dict[str, str]) -> ReleaseImages:
    """A release of what the stream makes, but for some images, and with other names."""
    images = []
    for tag, made in catalog.tags.items():
        source = getattr(made, "source", None)
        if tag not in without | HELPERS | {UNUSED}:
            images.append(
                ReleaseImage(
                    tag=renamed.get(tag, tag),
                    location=source.url if isinstance(source, GitSource) else "",
                    pull_spec=f"quay.test/okd@sha256:{len(images):064x}",
                )
            )
    return ReleaseImages(name=RELEASE, images=tuple(images))


async def run(stream: Path, shared_data: Path, release: ReleaseImages) -> Comparison:
    """The stream beside ``release``, with the facts served as Dockerfiles."""
    catalog, trees = load_catalog(stream), read_trees(shared_data)
    by_url = {url: files for (url, _), files in trees.items()}
    sources = serve(trees)
    for url, files in by_url.items():  # a release that names no commit: the default branch
        sources.put(GitSource(url=url, ref=""), files)

    async def read_labels(image: ReleaseImage) -> ReleaseImage:
        return image

    return await compare(
        catalog,
        load_definitions(stream).definitions,
        release,
        sources=sources,
        read_labels=read_labels,
        platform=AMD64,
        lock=Lock(),
    )


async def test_one_question_for_each_repository(stream, tmp_path):
    """162 repositories answer for 185 components; etcd has branches of its own."""
    catalog = load_catalog(stream)
    branches = MemoryBranches()
    urls = {each.source.url for each in catalog.components if each.source}
    for url in urls:
        own = url.endswith("/openshift/etcd")
        branches.put(url, "main", "openshift-4.16" if own else "release-4.16")
    found = await survey(
        catalog,
        load_definitions(stream).definitions,
        BranchQuestions(
            branches,
            memory=tmp_path / "memory.json",
            clock=ManualClock(),
            progress=ignore_progress,
        ),
        branch="release-4.16",
        fallbacks=FALLBACKS,
    )
    assert sorted(branches.asked) == sorted(urls)
    others = {
        each.component: each.ref for each in found.components if each.outcome is not Outcome.FOUND
    }
    assert others == {"etcd": "openshift-4.16"}


async def test_what_payloads_have_not_is_kept_for_what_they_have(stream, shared_data):
    """A release of the same images is in step, and knows which others they need."""
    catalog = load_catalog(stream)
    found = await run(stream, shared_data, release_of(catalog, without=set(), renamed={}))
    assert [(each.kind, each.tag) for each in found.differences if each.is_open] == [
        (Kind.REMOVED, UNUSED)
    ]
    assert set(found.helpers) == HELPERS


async def test_a_later_release_is_followed_through_the_stream_file(stream, shared_data):
    """Gone and renamed images: said in the stream file alone, and a second run has nothing."""
    catalog = load_catalog(stream)
    release = release_of(
        catalog, without={"ovirt-csi-driver"}, renamed={"hypershift": "hypershift-operator"}
    )
    first = await run(stream, shared_data, release)
    assert {each.tag: each.kind for each in first.differences if each.is_open} == {
        "hypershift-operator": Kind.RENAMED,
        "ovirt-csi-driver": Kind.REMOVED,
        UNUSED: Kind.REMOVED,
    }
    changes = mend(catalog, first)
    assert [change.path for change in changes] == [stream]
    write_changes(changes)
    again = await run(stream, shared_data, release)
    assert mend(load_catalog(stream), again) == ()
    said = load_catalog(stream).stream.components
    assert said["hypershift"].tag == "hypershift-operator"
    assert said["ovirt-csi-driver"].skip == f"not in {RELEASE}"
