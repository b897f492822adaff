# SPDX-License-Identifier: Apache-2.0
"""From images to a release: named by its inputs, checked before it is tagged."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from releases import (
    COMPONENTS,
    CONTENT,
    OPERATOR,
    OPERATOR_FILES,
    RELEASES,
    STREAM,
    make_catalog,
    make_release,
    put_sources,
    release,
)
from streams import write_stream
from workshop import Workshop, digests

from okd_payload.build.job import release_images
from okd_payload.build.report import ReleaseResult
from okd_payload.catalog.load import load_catalog
from okd_payload.errors import BuildError
from okd_payload.release.load import load_release


def images_of(result: ReleaseResult) -> dict[str, str]:
    """The payload's images by name."""
    return {image.name: image.reference for image in result.images}


async def test_a_release_names_what_was_built_where_it_will_be(workshop: Workshop, tmp_path: Path):
    """Operator, operand and base are named in the content repository; builders are left out."""
    result = await make_release(workshop, tmp_path)
    images = digests(await workshop.run(make_catalog(tmp_path)))
    assert images_of(result) == {
        name: f"{CONTENT}@{images[name]}"
        for name in ("cluster-version-operator", "etcd", "etcd-operator")
    }
    assert result.reference == f"{RELEASES}@{result.digest}"
    assert await workshop.releases.manifests.tags() == [result.name]
    loaded = await load_release(workshop.releases, result.name)
    assert loaded.digest == result.digest
    (deployment,) = (text for name, text in loaded.content.files.items() if "deployment" in name)
    assert f"{CONTENT}@{images['etcd']}".encode() in deployment


async def test_the_same_inputs_give_the_same_release(workshop: Workshop, tmp_path: Path):
    """Another day on another machine, name and digest are the same."""
    first = await make_release(workshop, tmp_path)
    other = Workshop(tmp_path / "other")
    other.clock.advance(10_000_000)
    assert await make_release(other, tmp_path) == first


@pytest.mark.parametrize(
    "other",
    [
        STREAM.replace("me/content", "you/content"),
        STREAM + "release: {base: cluster-version-operator, previous: [4.19.0]}\n",
    ],
    ids=["content", "previous"],
)
async def test_every_input_is_in_the_name(workshop: Workshop, tmp_path: Path, other: str):
    """What changes the payload changes its name, so that no name ever means two payloads."""
    first = await make_release(workshop, tmp_path)
    write_stream(tmp_path, COMPONENTS)
    path = tmp_path / "stream.yaml"
    path.write_text(f"name: test\ncatalog: [{{components: components}}]\n{other}")
    catalog = load_catalog(path)
    made = await release(workshop, catalog, await workshop.run(catalog))
    assert made.result is not None, made.issues
    assert made.result.digest != first.digest
    assert made.result.name != first.name


async def test_another_source_gives_another_name(workshop: Workshop, tmp_path: Path):
    """Also where the pattern has no time in it, which a changed image would move."""
    first = await make_release(workshop, tmp_path)
    workshop.put("etcd", "FROM base\n", {"etcd": "another program"})
    catalog = make_catalog(tmp_path)
    made = await release(workshop, catalog, await workshop.run(catalog))
    assert made.result is not None
    assert made.result.name != first.name


async def test_a_missing_operand_blocks_the_release(workshop: Workshop, tmp_path: Path):
    """Nothing is stored or tagged, and operator, file and nearest names are told."""
    put_sources(workshop)
    listed = OPERATOR_FILES["manifests/image-references"]
    misspelt = listed.replace("name: etcd\n", "name: etdc\n")
    files = OPERATOR_FILES | {"manifests/image-references": misspelt}
    workshop.put("etcd-operator", OPERATOR, files)
    catalog = make_catalog(tmp_path)
    made = await release(workshop, catalog, await workshop.run(catalog))
    assert made.result is None
    (issue,) = (issue for issue in made.issues if issue.blocks)
    assert (issue.code, issue.component) == ("missing-operand", "etcd-operator")
    assert "etcd" in issue.hint
    assert await workshop.releases.manifests.tags() == []


async def test_what_a_cluster_would_refuse_is_never_tagged(workshop: Workshop, tmp_path: Path):
    """A base without manifests makes no payload: it is stored, checked, and gets no tag."""
    put_sources(workshop)
    workshop.put("cluster-version-operator", "FROM base\n")
    catalog = make_catalog(tmp_path)
    made = await release(workshop, catalog, await workshop.run(catalog))
    assert made.result is None
    assert "missing-payload-file" in {issue.code for issue in made.issues if issue.blocks}
    assert await workshop.releases.manifests.tags() == []


async def test_a_permitted_issue_stays_visible(workshop: Workshop, tmp_path: Path):
    """What the stream accepts with a reason blocks nothing and is told with the reason."""
    put_sources(workshop)
    workshop.put("cluster-version-operator", "FROM base\n")
    permits = "permits: [{code: missing-payload-file, reason: a test}]\n"
    catalog = make_catalog(tmp_path, stream=STREAM + permits)
    made = await release(workshop, catalog, await workshop.run(catalog))
    assert made.result is not None
    assert [issue.permitted for issue in made.issues if issue.permitted] == ["a test"]


async def test_a_failed_build_makes_no_release(workshop: Workshop, tmp_path: Path):
    """A release is of everything or not at all."""
    put_sources(workshop)
    workshop.engine.fail("etcd", BuildError("no"))
    catalog = make_catalog(tmp_path)
    made = await release(workshop, catalog, await workshop.run(catalog))
    assert (made.result, made.issues) == (None, ())


@pytest.mark.parametrize("permitted", [False, True])
async def test_a_changed_import_blocks_a_locked_release(
    workshop: Workshop, tmp_path: Path, *, permitted: bool
):
    """A release from a lock has what the lock says, unless the stream accepts that it has not."""
    put_sources(workshop)
    (tmp_path / "root.sh").write_text("#!/bin/sh\ncd ${0%/*} && exec tar -c root.sh\n")
    (tmp_path / "root.sh").chmod(0o755)
    stream = STREAM + "imports: {root: {command: [./root.sh]}}\n"
    if permitted:
        stream += "permits: [{code: changed-import, reason: a test}]\n"
    catalog = make_catalog(tmp_path, stream=stream)
    outcome = await workshop.run(catalog)
    locked = msgspec.structs.replace(
        outcome.lock,
        imports={
            name: msgspec.structs.replace(image, digest=outcome.images["base"].digest)
            for name, image in outcome.lock.imports.items()
        },
    )
    made = await release_images(
        outcome,
        frozen=await workshop.freeze(catalog, lock=locked),
        maker=workshop.release_maker(catalog),
        given=locked,
    )
    assert made.issues[0].code == "changed-import"
    assert (made.result is not None) is permitted
