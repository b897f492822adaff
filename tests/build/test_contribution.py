# SPDX-License-Identifier: Apache-2.0
"""A change to a release without a stream file: everything follows from the checkout."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from releases import CONTENT, STREAM, make_release
from streams import AMD64
from workshop import Workshop, digests

from okd_payload.build.base_release import BaseRelease, freeze_over
from okd_payload.build.change_set import ChangeSet
from okd_payload.build.contribution import make_catalog
from okd_payload.build.freeze import FrozenPlan
from okd_payload.build.job import BuildOutcome, release_images
from okd_payload.build.releasing import ReleaseOutcome
from okd_payload.build.report import ReleaseResult
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.dockerfile_choice import DOCKERFILES
from okd_payload.catalog.stream import Publish
from okd_payload.catalog.substitution import Substitution
from okd_payload.errors import InputError, ReleaseError, SourceError, UnknownName
from okd_payload.progress import Noticed
from okd_payload.release.load import load_release
from okd_payload.release.semver import parse_version
from okd_payload.source.lock import Lock, LockedSource
from okd_payload.source.model import FolderSource
from okd_payload.testing.images import push_image

MINE = FolderSource(path="/home/me/etcd")
CI = "registry.ci.openshift.org"


@pytest.fixture
async def base(workshop: Workshop, tmp_path: Path) -> BaseRelease:
    """A release that somebody else made."""
    made = await make_release(workshop, tmp_path)
    release = await load_release(workshop.releases, made.name)
    return BaseRelease(release=release, repository="quay.io/okd/release")


async def catalog_of(
    workshop: Workshop,
    base: BaseRelease,
    change: ChangeSet,
    *,
    lock: Lock | None = None,
    publish: Publish | None = None,
) -> Catalog:
    """The catalog of ``change`` on top of ``base``."""
    return await make_catalog(
        base,
        change,
        publish=publish or Publish(),
        sources=workshop.sources,
        lock=lock or Lock(),
        progress=workshop.events.append,
    )


async def freeze(workshop: Workshop, base: BaseRelease, change: ChangeSet) -> FrozenPlan:
    """The frozen plan of ``change`` on top of ``base``."""
    return await freeze_over(
        await catalog_of(workshop, base, change),
        base,
        change,
        with_dependants=False,
        sources=workshop.sources,
        resolve=workshop.places.resolve,
        platform=AMD64,
        lock=Lock(),
    )


@pytest.mark.parametrize("number", range(len(DOCKERFILES)))
async def test_the_first_usual_dockerfile_counts(
    workshop: Workshop, base: BaseRelease, number: int
):
    """Of all Dockerfiles of a repository the one made for OKD is preferred, and it is told."""
    files = dict.fromkeys(reversed(DOCKERFILES[number:]), "FROM scratch\n")
    workshop.sources.put(MINE, files)
    catalog = await catalog_of(workshop, base, ChangeSet(sources={"etcd": MINE}))
    assert catalog.component("etcd").dockerfile_path == DOCKERFILES[number]
    (note,) = [event for event in workshop.events if isinstance(event, Noticed)]
    assert (note.subject, note.message.partition(" (")[0]) == (
        "etcd",
        f"is built from its {DOCKERFILES[number]}",
    )


async def test_a_named_dockerfile_counts_before_all(workshop: Workshop, base: BaseRelease):
    """What is named need not be looked for."""
    change = ChangeSet(sources={"etcd": MINE}, dockerfiles={"etcd": "images/Dockerfile"})
    catalog = await catalog_of(workshop, base, change)
    assert catalog.component("etcd").dockerfile_path == "images/Dockerfile"
    assert ("resolve", str(MINE)) not in workshop.sources.operations


async def test_a_checkout_without_dockerfile_is_refused(workshop: Workshop, base: BaseRelease):
    """What there is instead is told, and how to name it."""
    workshop.sources.put(MINE, {"test/Dockerfile": "FROM scratch\n"})
    with pytest.raises(InputError) as caught:
        await catalog_of(workshop, base, ChangeSet(sources={"etcd": MINE}))
    assert "nearest: test/Dockerfile" in caught.value.message
    assert "--dockerfile etcd=" in caught.value.hint


async def test_the_dockerfile_is_looked_for_where_the_lock_says(
    workshop: Workshop, base: BaseRelease
):
    """A checkout that has changed since the lock does not matter."""
    locked = workshop.sources.put(MINE, {"Dockerfile.rhel": "FROM scratch\n"})
    workshop.sources.put(MINE, {"Dockerfile.okd": "FROM scratch\n"})
    lock = Lock(sources={"etcd": LockedSource(MINE, locked)})
    catalog = await catalog_of(workshop, base, ChangeSet(sources={"etcd": MINE}), lock=lock)
    assert catalog.component("etcd").dockerfile_path == "Dockerfile.rhel"


async def test_a_source_that_cannot_be_read_stops(workshop: Workshop, base: BaseRelease):
    """There is nothing else to look at."""
    workshop.sources.fail(MINE, SourceError("no such repository"))
    with pytest.raises(SourceError):
        await catalog_of(workshop, base, ChangeSet(sources={"etcd": MINE}))


async def test_only_images_of_the_release_can_change(workshop: Workshop, base: BaseRelease):
    """A name that the release does not have is most likely misspelt."""
    with pytest.raises(UnknownName) as caught:
        await catalog_of(workshop, base, ChangeSet(sources={"etcd-oprator": MINE}))
    assert caught.value.hint == "did you mean etcd-operator or etcd or cluster-version-operator?"


async def test_references_to_ci_mean_images_of_the_release(workshop: Workshop, base: BaseRelease):
    """Of both image streams and any version, a tag of the release is that image."""
    cvo = "cluster-version-operator"
    operator = f"{CI}/origin/scos-4.21:etcd-operator"
    workshop.sources.put(MINE, {"Dockerfile": f"FROM {CI}/ocp/4.20:{cvo} AS b\nFROM {operator}\n"})
    frozen = await freeze(workshop, base, ChangeSet(sources={"etcd": MINE}))
    assert frozen.plan.issues == ()
    assert frozen.plan.graph.parents["etcd"] == (cvo, "etcd-operator")
    assert sorted(frozen.plan.nodes) == [cvo, "etcd", "etcd-operator"]
    assert {image.digest for image in frozen.lock.images.values()} == {
        base.images[name].partition("@")[2] for name in (cvo, "etcd-operator")
    }


async def test_what_stays_private_says_how_to_substitute_it(workshop: Workshop, base: BaseRelease):
    """Every reference that nobody can pull is an issue with the words to add."""
    private = f"{CI}/ocp/builder:rhel-9-golang-1.24"
    workshop.sources.put(MINE, {"Dockerfile": f"FROM {private} AS b\nFROM base\n"})
    frozen = await freeze(workshop, base, ChangeSet(sources={"etcd": MINE}))
    issues = {issue.code: issue for issue in frozen.plan.issues}
    assert f"--substitute '{private}=TAG'" in issues["private-reference"].hint
    assert "--substitute 'base=docker.io/library/base'" in issues["dangling-reference"].hint
    assert issues["private-reference"].file == "/home/me/etcd/Dockerfile"


async def test_substitutions_of_the_command_line_come_first(workshop: Workshop, base: BaseRelease):
    """They can mean an image elsewhere, an image of the release, or another than its own."""
    go = await push_image(workshop.registry("quay.io/me/go"), tag="1.24")
    workshop.sources.put(
        MINE, {"Dockerfile": f"FROM {CI}/ocp/b:go AS b\nFROM {CI}/ocp/4.20:etcd\n"}
    )
    change = ChangeSet(
        sources={"etcd": MINE},
        substitutions=(
            Substitution(glob=f"{CI}/ocp/b:*", image="quay.io/me/{1}:1.24"),
            Substitution(glob=f"{CI}/ocp/*:etcd", image="cluster-version-operator"),
        ),
    )
    frozen = await freeze(workshop, base, change)
    assert frozen.plan.issues == ()
    assert frozen.plan.graph.parents["etcd"] == ("cluster-version-operator", "quay.io/me/go:1.24")
    assert frozen.lock.images["quay.io/me/go:1.24"].digest == go.digest


async def build(
    workshop: Workshop, base: BaseRelease, **publish: str
) -> tuple[ReleaseResult, BuildOutcome]:
    """Build a change to etcd on top of ``base``, and release it."""
    released, outcome = await release_change(workshop, base, Publish(**publish))
    assert released.result is not None, released.issues
    return released.result, outcome


async def release_change(
    workshop: Workshop, base: BaseRelease, publish: Publish
) -> tuple[ReleaseOutcome, BuildOutcome]:
    """What came of a change to etcd on top of ``base``."""
    workshop.sources.put(MINE, {"Dockerfile": "FROM scratch\n", "etcd": "mine"})
    change = ChangeSet(sources={"etcd": MINE})
    catalog = await catalog_of(workshop, base, change, publish=publish)
    frozen = await freeze_over(
        catalog,
        base,
        change,
        with_dependants=False,
        sources=workshop.sources,
        resolve=workshop.places.resolve,
        platform=AMD64,
        lock=Lock(),
    )
    outcome = await workshop.carry_out(frozen, workshop.maker(catalog, moves_tags=False))
    released = await release_images(
        outcome,
        frozen=frozen,
        maker=workshop.release_maker(catalog),
        given=Lock(),
        base=base.to_input(catalog.stream),
    )
    return released, outcome


async def test_a_changed_release_is_a_version_behind_its_base(
    workshop: Workshop, base: BaseRelease
):
    """Its name is a version that sorts behind, derived from the inputs alone."""
    first, outcome = await build(workshop, base)
    assert first.name.startswith(f"{base.release.name}.change-")
    assert parse_version(first.name) > parse_version(base.release.name)
    images = {image.name: image.reference for image in first.images}
    digest = digests(outcome)["etcd"]
    assert images == base.images | {"etcd": f"localhost/change/content@{digest}"}
    again, _ = await build(workshop, base)
    assert again == first


async def test_the_payload_names_where_it_will_be_published(workshop: Workshop, base: BaseRelease):
    """With repositories given, images and release are named there."""
    made, _ = await build(workshop, base, content="quay.io/me/okd", releases="quay.io/me/rel")
    images = {image.name: image.reference for image in made.images}
    assert images["etcd"].startswith("quay.io/me/okd@")
    assert made.reference.startswith("quay.io/me/rel@")


async def test_images_that_stay_in_a_private_registry_do_not_stop_a_contributor(
    workshop: Workshop, tmp_path: Path
):
    """Where the images of the base are was decided by others; it stays visible."""
    stream = STREAM.replace(CONTENT, f"{CI}/origin/content")
    stream += "permits: [{code: private-image, reason: it is theirs}]\n"
    theirs = await make_release(workshop, tmp_path, stream=stream)
    release = await load_release(workshop.releases, theirs.name)
    base = BaseRelease(release=release, repository=f"{CI}/origin/release")
    released, _ = await release_change(workshop, base, Publish())
    assert released.result is not None
    assert {issue.code for issue in released.issues if issue.permitted} == {"private-image"}


@pytest.mark.parametrize(
    ("version", "prefix"),
    [
        ("4.20.0-0.okd-scos", "4.20.0-0.okd-scos.change-"),
        ("4.20.0", "4.20.0-change-"),
        ("4.20.0-rc.1+git5", "4.20.0-rc.1.change-"),
    ],
)
async def test_any_version_can_be_continued(
    workshop: Workshop, base: BaseRelease, version: str, prefix: str
):
    """Build metadata goes, because no tag can hold it."""
    made, _ = await build(workshop, renamed(base, version))
    assert made.name.startswith(prefix)


async def test_a_release_without_a_version_is_refused(workshop: Workshop, base: BaseRelease):
    """Before anything is built."""
    workshop.sources.put(MINE, {"Dockerfile": "FROM scratch\n"})
    with pytest.raises(ReleaseError, match="called 'nightly'"):
        await catalog_of(workshop, renamed(base, "nightly"), ChangeSet(sources={"etcd": MINE}))


def renamed(base: BaseRelease, name: str) -> BaseRelease:
    """``base`` under another name."""
    references = base.release.references
    metadata = msgspec.structs.replace(references.metadata, name=name)
    references = msgspec.structs.replace(references, metadata=metadata)
    release = msgspec.structs.replace(base.release, references=references)
    return msgspec.structs.replace(base, release=release)
