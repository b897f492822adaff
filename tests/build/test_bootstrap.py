# SPDX-License-Identifier: Apache-2.0
"""A stream that begins with a release: what is shared comes from there, the rest is built."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from releases import COMPONENTS, CONTENT, STREAM, make_release, put_sources
from streams import write_stream
from workshop import Workshop, actions, digests, record

from okd_payload.build.base_release import BaseRelease
from okd_payload.build.bootstrap import pin_release, take_shared
from okd_payload.build.codes import SHARED_IMAGE_MISSING, TAKEN_FROM_OCP
from okd_payload.build.job import release_images
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Sharing
from okd_payload.catalog.definition import PulledImage
from okd_payload.imagestream.openshift import DOCKER_IMAGE, ObjectReference
from okd_payload.release.load import load_release
from okd_payload.source.lock import Lock

SHARED = "sharing: {kind: shared, reason: the same in OCP 4.16.1}\n"
SPECIFIC = "sharing: {kind: specific, reason: it has another operating system}\n"


@pytest.fixture
async def base(workshop: Workshop, tmp_path: Path) -> BaseRelease:
    """A release of the small stream, whose images are at hand."""
    made = await make_release(workshop, tmp_path / "published")
    release = await load_release(workshop.releases, made.name)
    return BaseRelease(release=release, repository="quay.io/okd/release")


def make_mixed(folder: Path, *, etcd: str = SHARED, stream: str = STREAM) -> Catalog:
    """The same stream with classes; its CVO and tools are unclassed."""
    components = COMPONENTS | {
        "etcd": COMPONENTS["etcd"] + etcd,
        "etcd-operator": COMPONENTS["etcd-operator"] + SPECIFIC,
    }
    return write_stream(folder, components, stream=stream)


def rename(base: BaseRelease, repository: str) -> BaseRelease:
    """``base`` whose images are named in another repository."""
    tags = tuple(
        msgspec.structs.replace(
            tag,
            origin=ObjectReference(
                kind=DOCKER_IMAGE, name=tag.origin.name.replace(CONTENT, repository)
            ),
        )
        for tag in base.release.tags
    )
    references = base.release.references
    spec = msgspec.structs.replace(references.spec, tags=tags)
    references = msgspec.structs.replace(references, spec=spec)
    release = msgspec.structs.replace(base.release, references=references)
    return msgspec.structs.replace(base, release=release)


async def test_what_is_shared_is_taken_and_the_rest_is_built(workshop, base, tmp_path):
    """By the release's digest, into a release of its own; the record says the class and why."""
    shared = base.images["etcd"]
    catalog = take_shared(make_mixed(tmp_path), base)
    other = Workshop(tmp_path / "other")
    put_sources(other)
    other.registries[CONTENT] = workshop.content
    outcome = await other.run(catalog)
    assert actions(outcome)["etcd"] == "imported"
    assert actions(outcome)["etcd-operator"] == "built"
    assert shared == f"{CONTENT}@{digests(outcome)['etcd']}"
    taken, built = record(outcome, "etcd"), record(outcome, "etcd-operator")
    assert taken.sharing == "shared"
    assert taken.sharing_reason == f"the same in OCP 4.16.1; taken from {base.release.name}"
    assert (built.sharing, built.sharing_reason) == (
        "specific",
        "it has another operating system",
    )
    released = await release_images(
        outcome,
        frozen=await other.freeze(catalog),
        maker=other.release_maker(catalog),
        given=Lock(),
    )
    assert released.result is not None, released.issues
    images = {image.name: image.reference for image in released.result.images}
    assert set(images) == {"cluster-version-operator", "etcd", "etcd-operator"}
    assert images["etcd"] == shared


async def test_unclassed_components_are_built(base, tmp_path):
    """Nobody has said that they are shared; neither did anybody say so of what is specific."""
    catalog = take_shared(make_mixed(tmp_path), base)
    assert {each.name for each in catalog.components} == {
        "base",
        "cluster-version-operator",
        "etcd-operator",
        "tools",
    }
    assert [each.name for each in catalog.imports] == ["etcd"]


async def test_what_the_stream_does_not_define_comes_along(base, tmp_path):
    """The payload stays whole; an import of the stream itself wins."""
    own = f"{STREAM}imports: {{etcd: {{image: 'quay.io/me/etcd:1'}}}}\n"
    few = {name: COMPONENTS[name] for name in ("cluster-version-operator", "base")}
    catalog = take_shared(write_stream(tmp_path, few, stream=own), base)
    imports = {each.name: each for each in catalog.imports}
    assert imports["etcd"].content == PulledImage("quay.io/me/etcd:1")
    taken = imports["etcd-operator"]
    assert (taken.sharing, taken.sharing_reason) == (
        None,
        f"the stream does not define it; taken from {base.release.name}",
    )


async def test_what_is_changed_is_built_whatever_its_class(base, tmp_path):
    """Somebody with another source for a shared component wants it built."""
    catalog = take_shared(make_mixed(tmp_path), base, built=["etcd"])
    assert "etcd" in {each.name for each in catalog.components}
    assert catalog.component("etcd").sharing is Sharing.SHARED


async def test_a_shared_image_that_the_release_lacks_is_an_issue(base, tmp_path):
    """It says who, and where it is defined."""
    components = COMPONENTS | {"new": COMPONENTS["etcd"] + SHARED}
    catalog = take_shared(write_stream(tmp_path, components, stream=STREAM), base)
    (issue,) = catalog.issues
    assert (issue.code, issue.component) == (SHARED_IMAGE_MISSING.code, "new")
    assert issue.file.endswith("new.yaml")


async def test_images_of_ocp_are_told(base, tmp_path):
    """RHEL must not be redistributed: the plan says which images have it, and stops nothing."""
    ocp = rename(base, "quay.io/openshift-release-dev/ocp-v4.0-art-dev")
    catalog = take_shared(make_mixed(tmp_path), ocp)
    (issue,) = catalog.issues
    assert issue.code == TAKEN_FROM_OCP.code
    assert not issue.blocks
    assert issue.message.startswith("images of OCP are taken from")
    assert "etcd" in issue.message


async def test_the_lock_has_the_release(base):
    """By its name in the stream file, so that a later build takes the same images."""
    lock = pin_release(Lock(), "quay.io/okd/release:4.16", base)
    assert lock.images["quay.io/okd/release:4.16"].digest == base.release.digest
