# SPDX-License-Identifier: Apache-2.0
"""Building on top of a release: one image anew, every other one by its digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases import CONTENT, STREAM, make_catalog, make_release
from streams import AMD64
from workshop import Workshop, actions, digests, source_of

from okd_payload.build.base_release import BaseRelease, freeze_over, load_base, take_over
from okd_payload.build.change_set import ChangeSet, apply_change_set
from okd_payload.build.freeze import FrozenPlan
from okd_payload.build.job import BuildOutcome, release_images
from okd_payload.build.releasing import ReleaseOutcome
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.definition import PulledImage
from okd_payload.errors import ReleaseError, SourceError, UnknownName
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import parse_location
from okd_payload.oci.transfer import ImageCopier, ImageCopy
from okd_payload.release.load import load_release
from okd_payload.source.lock import Lock
from okd_payload.source.model import FolderSource
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository

MINE = FolderSource(path="/home/me/etcd")
CHANGE = ChangeSet(sources={"etcd": MINE})


@pytest.fixture
async def base(workshop: Workshop, tmp_path: Path) -> BaseRelease:
    """A release of the small stream, whose images are at hand; and a change to etcd."""
    made = await make_release(workshop, tmp_path)
    workshop.sources.put(MINE, {"Dockerfile": "FROM base\n", "etcd": "my program"}, dirty=True)
    release = await load_release(workshop.releases, made.name)
    return BaseRelease(release=release, repository="quay.io/okd/release")


async def freeze(
    workshop: Workshop, base: BaseRelease, catalog: Catalog, *, with_dependants: bool = False
) -> FrozenPlan:
    """The plan of ``CHANGE`` on top of ``base``."""
    return await freeze_over(
        apply_change_set(CHANGE, catalog),
        base,
        CHANGE,
        with_dependants=with_dependants,
        sources=workshop.sources,
        resolve=workshop.places.resolve,
        platform=AMD64,
        lock=Lock(),
    )


async def build(
    workshop: Workshop, base: BaseRelease, catalog: Catalog, *, with_dependants: bool = False
) -> tuple[BuildOutcome, ReleaseOutcome]:
    """Build ``CHANGE`` on top of ``base`` and make the release."""
    frozen = await freeze(workshop, base, catalog, with_dependants=with_dependants)
    outcome = await workshop.carry_out(frozen, workshop.maker(frozen.catalog, moves_tags=False))
    released = await release_images(
        outcome,
        frozen=frozen,
        maker=workshop.release_maker(catalog),
        given=Lock(),
        base=base.to_input(catalog.stream),
    )
    return outcome, released


async def test_one_image_is_built_and_all_others_are_taken_over(
    workshop: Workshop, base: BaseRelease, tmp_path: Path
):
    """The new release differs in the one image, and says which release it comes from."""
    outcome, released = await build(workshop, base, make_catalog(tmp_path))
    assert workshop.built == ["etcd"]
    assert released.result is not None, released.issues
    images = {image.name: image.reference for image in released.result.images}
    assert images == base.images | {"etcd": f"{CONTENT}@{digests(outcome)['etcd']}"}
    assert images["etcd"] != base.images["etcd"]
    made = await load_release(workshop.releases, released.result.name)
    annotations = made.references.metadata.annotations or {}
    assert annotations["release.openshift.io/from-release"] == (
        f"quay.io/okd/release@{base.release.digest}"
    )


async def test_the_tags_of_the_stream_stay(workshop: Workshop, base: BaseRelease, tmp_path: Path):
    """A contributor's build moves nothing that others follow."""
    before = (await workshop.made("etcd")).digest
    await build(workshop, base, make_catalog(tmp_path))
    assert (await workshop.made("etcd")).digest == before


async def test_only_what_changes_costs_anything(
    workshop: Workshop, base: BaseRelease, tmp_path: Path
):
    """Sources of components that are taken over are never read, however broken they are."""
    for name in ("etcd-operator", "cluster-version-operator"):
        workshop.sources.fail(source_of(name), SourceError("must not be asked"))
    workshop.sources.operations.clear()
    frozen = await freeze(workshop, base, make_catalog(tmp_path))
    assert sorted(frozen.plan.nodes) == ["base", "etcd"]
    assert {place for verb, place in workshop.sources.operations if verb == "resolve"} == {
        str(MINE)
    }


async def test_parents_are_those_of_the_release(
    workshop: Workshop, base: BaseRelease, tmp_path: Path
):
    """What stands on an image of the release stands on exactly that one, not on a newer build."""
    workshop.put("cluster-version-operator", "FROM base\n# newer than the release\n")
    workshop.sources.put(MINE, {"Dockerfile": "FROM cluster-version-operator\n"})
    outcome, _ = await build(workshop, base, make_catalog(tmp_path))
    assert actions(outcome) == {"cluster-version-operator": "reused", "etcd": "built"}
    parent = digests(outcome)["cluster-version-operator"]
    assert base.images["cluster-version-operator"].endswith(parent)


async def test_dependants_are_built_when_asked_for(
    workshop: Workshop, base: BaseRelease, tmp_path: Path
):
    """With dependants, what is built on the change is built anew too."""
    frozen = await freeze(workshop, base, make_catalog(tmp_path), with_dependants=True)
    assert frozen.only == {"etcd", "tools"}
    outcome, _ = await build(workshop, base, make_catalog(tmp_path), with_dependants=True)
    assert workshop.built == ["etcd", "tools"]
    assert actions(outcome)["base"] == "reused"


async def test_a_component_that_cannot_be_read_might_be_a_dependant(
    workshop: Workshop, base: BaseRelease, tmp_path: Path
):
    """Asked for dependants, whoever hides its Dockerfile is an issue; a permit lets it pass."""
    workshop.sources.fail(source_of("etcd-operator"), SourceError("gone"))
    for permits in ("", "permits: [{code: source-unavailable, reason: known}]\n"):
        catalog = make_catalog(tmp_path, stream=STREAM + permits)
        frozen = await freeze(workshop, base, catalog, with_dependants=True)
        (issue,) = frozen.plan.issues
        assert (issue.code, issue.component) == ("source-unavailable", "etcd-operator")
        assert issue.blocks is not bool(permits)


async def test_an_unknown_component_is_refused(
    workshop: Workshop, base: BaseRelease, tmp_path: Path
):
    """Its nearest names are offered."""
    with pytest.raises(UnknownName):
        await freeze_over(
            make_catalog(tmp_path),
            base,
            ChangeSet(sources={"etdc": MINE}),
            with_dependants=False,
            sources=workshop.sources,
            resolve=workshop.places.resolve,
            platform=AMD64,
            lock=Lock(),
        )


async def test_taken_over_images_replace_components_and_imports(
    base: BaseRelease, workshop: Workshop, tmp_path: Path
):
    """Every tag of the release is an import by digest; what the release lacks stays as it is."""
    stream = STREAM + "imports: {etcd-operator: {tag: etcd, stub: nobody}, os: {tag: base}}\n"
    catalog = take_over(make_catalog(tmp_path, stream=stream), base, built={"etcd"})
    assert [component.name for component in catalog.components] == ["base", "etcd", "tools"]
    contents = {entry.name: entry.content for entry in catalog.imports}
    assert sorted(contents) == ["cluster-version-operator", "etcd-operator", "os"]
    assert contents["etcd-operator"] == PulledImage(base.images["etcd-operator"])


async def test_a_release_in_a_layout_has_its_images_beside_it(
    workshop: Workshop, base: BaseRelease, tmp_path: Path
):
    """Of a release in ``releases``, images are read from ``images`` without any registry."""
    images, releases = (LayoutRepository(tmp_path / "s" / name) for name in ("images", "releases"))
    await ImageCopier().copy(
        [
            ImageCopy(
                source=workshop.releases,
                reference=base.release.name,
                destination=releases,
                tag=base.release.name,
            ),
            *(
                ImageCopy(
                    source=workshop.content, reference=spec.partition("@")[2], destination=images
                )
                for spec in base.images.values()
            ),
        ]
    )
    location = parse_location(f"oci:{tmp_path}/s/releases:{base.release.name}")
    found = await load_base(location, LayoutRepository(tmp_path / "s" / "releases"))
    assert found.images == base.images
    assert [place.name for place in found.near] == [
        f"oci:{tmp_path}/s/releases",
        f"oci:{tmp_path}/s/images",
    ]
    digest = base.images["etcd"].partition("@")[2]
    assert (await found.near[1].manifests.get(digest)).digest == digest
    given = found.to_input(make_catalog(tmp_path).stream)
    origin = given.annotations["release.openshift.io/from-release"]
    assert origin == f"quay.io/me/release@{base.release.digest}"


async def test_a_release_in_a_registry(workshop: Workshop, base: BaseRelease):
    """Without a tag it is the latest; nothing of it is on this machine."""
    manifest = await workshop.releases.manifests.get(base.release.name)
    await workshop.releases.manifests.put(manifest, tag="latest")
    found = await load_base(parse_location("quay.io/okd/release"), workshop.releases)
    assert (found.repository, found.near) == ("quay.io/okd/release", ())


async def test_an_ordinary_image_is_no_release():
    """The message says what is wrong, and the hint what it may be instead."""
    repository = MemoryRepository("quay.io/okd/etcd")
    await push_image(repository, tag="1", layers=[bytes(1024)])
    with pytest.raises(ReleaseError) as caught:
        await load_base(parse_location("quay.io/okd/etcd:1"), repository)
    assert "image-references" in caught.value.message
    assert "ordinary image" in caught.value.hint
