# SPDX-License-Identifier: Apache-2.0
"""Whether all images of a release are wholly there."""

from __future__ import annotations

import pytest

from okd_payload.errors import RegistryUnavailable, Unauthorized
from okd_payload.imagestream.openshift import TagReference
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Manifest
from okd_payload.release.inputs import pull_spec_tag
from okd_payload.release.verify.images import Subject, find_subjects, verify_images
from okd_payload.testing.images import push_image, push_index
from okd_payload.testing.memory_repository import MemoryRepository


@pytest.fixture
def repository():
    """A repository for all images."""
    return MemoryRepository("quay.test/okd/content")


async def subjects_of(repository, **images):
    """Images by name, as a release knows them."""
    return [
        Subject(name=name, repository=repository, selector=image.digest)
        for name, image in images.items()
    ]


def codes_of(verified):
    """The codes of what was found, with the components."""
    return [(issue.code, issue.component) for issue in verified.issues]


async def test_whole_images_have_no_issues(repository):
    """Each shared blob is asked for once, and everything is counted."""
    first = await push_image(repository, layers=[b"base", b"first"])
    second = await push_image(repository, layers=[b"base", b"second"])
    repository.operations.clear()
    verified = await verify_images(await subjects_of(repository, a=first, b=second))
    assert verified.issues == ()
    assert (len(verified.found), verified.manifests, verified.blobs) == (2, 2, 5)
    asked = [name for verb, name in repository.operations if verb == "stat"]
    assert len(asked) == len(set(asked)) == 5


async def test_an_absent_image_is_told_with_its_pull_spec(repository):
    """The issue says what clients say, and where the image should be."""
    digest = digest_of(b"never pushed")
    subject = Subject(name="etcd", repository=repository, selector=digest)
    verified = await verify_images([subject])
    assert codes_of(verified) == [("absent-image", "etcd")]
    assert f"quay.test/okd/content@{digest}" in verified.issues[0].message
    assert "manifest unknown" in verified.issues[0].message


async def test_every_member_of_a_list_is_looked_for(repository):
    """A list whose member was never pushed is an issue, and the other members are verified."""
    there = await push_image(repository, layers=[b"amd64"])
    lost = await push_image(repository, layers=[b"arm64"], architecture="arm64")
    index = await push_index(repository, {"amd64": there, "arm64": lost})
    del repository.manifests.images[lost.digest]
    verified = await verify_images(await subjects_of(repository, etcd=index))
    assert codes_of(verified) == [("absent-image", "etcd")]
    assert "for linux/arm64, listed by" in verified.issues[0].message
    assert (verified.manifests, verified.blobs) == (2, 2)


async def test_a_lost_layer_is_one_issue_for_all_that_share_it(repository):
    """The base that is gone is told once, with the images that need it."""
    images = {
        f"c{number}": await push_image(repository, layers=[b"base", bytes([number])])
        for number in range(5)
    }
    del repository.blobs.contents[digest_of(b"base")]
    verified = await verify_images(await subjects_of(repository, **images))
    assert codes_of(verified) == [("absent-blob", "")]
    assert "(c0, c1, c2 and 2 more)" in verified.issues[0].message


async def test_a_lost_configuration_is_an_issue(repository):
    """A configuration is a blob like others, and its component is named."""
    image = await push_image(repository)
    del repository.blobs.contents[image.image().config.digest]
    verified = await verify_images(await subjects_of(repository, etcd=image))
    assert codes_of(verified) == [("absent-blob", "etcd")]


async def test_a_blob_of_another_size_is_damaged(repository):
    """A truncated blob shows in its size already; nothing is read for that."""
    image = await push_image(repository, layers=[b"a whole layer"])
    repository.blobs.contents[digest_of(b"a whole layer")] = b"a whole"
    verified = await verify_images(await subjects_of(repository, etcd=image))
    assert codes_of(verified) == [("damaged-image", "etcd")]
    assert "has 7 bytes there, and 13 in the manifest" in verified.issues[0].message
    assert "read" not in {verb for verb, _ in repository.operations}


async def test_wrong_bytes_are_found_by_reading(repository):
    """Content of the right size and another digest is found when blobs are read."""
    image = await push_image(repository, layers=[b"right"])
    repository.blobs.contents[digest_of(b"right")] = b"wrong"
    subjects = await subjects_of(repository, etcd=image)
    assert (await verify_images(subjects)).issues == ()
    verified = await verify_images(subjects, read_blobs=True)
    assert codes_of(verified) == [("damaged-image", "etcd")]


async def test_a_registry_that_tells_no_size_is_asked_for_the_content(repository):
    """No size is no proof of absence: the blob is there when it can be read."""
    image = await push_image(repository, layers=[b"there"])
    sizeless = SizelessBlobs(repository)
    verified = await verify_images([Subject(name="a", repository=sizeless, selector=image.digest)])
    assert verified.issues == ()
    del repository.blobs.contents[digest_of(b"there")]
    verified = await verify_images([Subject(name="a", repository=sizeless, selector=image.digest)])
    assert codes_of(verified) == [("absent-blob", "a")]


class SizelessBlobs:
    """A repository whose blobs have no size."""

    def __init__(self, repository):
        self.name = repository.name
        self.manifests = repository.manifests
        self.blobs = self
        self.read = repository.blobs.read

    async def stat(self, digest):
        """Nothing is known."""


async def test_a_damaged_manifest_is_told_and_the_rest_is_verified(repository):
    """One manifest with other bytes does not hide what is wrong elsewhere."""
    damaged = await push_image(repository, layers=[b"a"])
    absent = await push_image(repository, layers=[b"b"])
    repository.manifests.images[damaged.digest] = Manifest(
        damaged.media_type, damaged.content + b" ", damaged.digest
    )
    subjects = await subjects_of(repository, a=damaged, b=absent)
    del repository.manifests.images[absent.digest]
    verified = await verify_images(subjects)
    assert codes_of(verified) == [("damaged-image", "a"), ("absent-image", "b")]


@pytest.mark.parametrize("error", [Unauthorized("denied"), RegistryUnavailable("down")])
async def test_a_registry_that_refuses_is_an_issue(repository, error):
    """What cannot be looked at is no proof of anything, and is told as such."""

    class Refusing:
        name = "quay.test/private"
        blobs = repository.blobs

        @property
        def manifests(self):
            return self

        async def get(self, _):
            raise error

    digest = digest_of(b"")
    verified = await verify_images([Subject(name="a", repository=Refusing(), selector=digest)])
    assert codes_of(verified) == [("unreachable-image", "a")]


async def test_pull_specs_are_judged_before_anything_is_asked(repository):
    """A tag that names no image is an issue, one without digest a warning."""

    async def repository_of(reference):
        return repository

    subjects, issues = await find_subjects(
        [
            pull_spec_tag("good", f"quay.test/okd/content@{digest_of(b'')}"),
            pull_spec_tag("floating", "quay.test/okd/content:latest"),
            pull_spec_tag("bad", "Not A Reference"),
            TagReference(name="none"),
        ],
        repository_of,
    )
    assert [subject.name for subject in subjects] == ["good", "floating"]
    assert [(issue.code, issue.component) for issue in issues] == [
        ("floating-image", "floating"),
        ("invalid-pull-spec", "bad"),
        ("invalid-pull-spec", "none"),
    ]
    assert subjects[1].pull_spec == "quay.test/okd/content:latest"
