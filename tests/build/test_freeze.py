# SPDX-License-Identifier: Apache-2.0
"""Freezing: every branch a commit, every image a digest, only as far as it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import AMD64, inline, write_stream
from workshop import Workshop, from_git, source_of

from okd_payload.build.freeze import freeze
from okd_payload.build.plan import ComponentNode, ExternalNode, ImportNode
from okd_payload.catalog.catalog import Catalog
from okd_payload.errors import RegistryUnavailable, SourceError
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.reference import Reference
from okd_payload.source.lock import Lock
from okd_payload.testing.images import push_image


def layered(tmp_path: Path) -> Catalog:
    """``top`` on ``middle`` on ``base``, and ``other`` on its own."""
    return write_stream(
        tmp_path, {name: from_git(name) for name in ("base", "middle", "top", "other")}
    )


def fill(workshop: Workshop) -> None:
    """Sources for ``layered``."""
    for name, parent in (("base", "scratch"), ("middle", "base"), ("top", "middle")):
        workshop.put(name, f"FROM {parent}\n")
    workshop.put("other", "FROM scratch\n")


async def test_images_of_elsewhere_are_pinned_and_locked(workshop: Workshop, tmp_path: Path):
    """Imports and images that only builds use get digests, and the lock has both."""
    os = await push_image(workshop.registry("quay.io/okd/os"), tag="1", layers=[b"os"])
    tool = await push_image(workshop.registry("quay.io/okd/tool"), tag="2", layers=[b"tool"])
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM os\nCOPY --from=quay.io/okd/tool:2 /x /x")},
        stream="imports: {os: {image: 'quay.io/okd/os:1'}}\n",
    )
    frozen = await workshop.freeze(catalog)
    node, external = frozen.plan.nodes["os"], frozen.plan.nodes["quay.io/okd/tool:2"]
    assert isinstance(node, ImportNode)
    assert isinstance(external, ExternalNode)
    assert node.reference == f"quay.io/okd/os@{os.digest}"
    assert external.reference == f"quay.io/okd/tool@{tool.digest}"
    assert {spec: image.digest for spec, image in frozen.lock.images.items()} == {
        "quay.io/okd/os:1": os.digest,
        "quay.io/okd/tool:2": tool.digest,
    }


async def test_images_that_cannot_be_found_are_issues_with_their_user(
    workshop: Workshop, tmp_path: Path
):
    """All of them at once; a component goes by its own name, whatever its tag is."""
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM quay.io/okd/none:1", more="tag: base-rhel9\n")},
        stream="imports: {os: {image: 'quay.io/okd/gone:1'}}\n",
    )
    found = [
        (issue.code, issue.component)
        for issue in (await workshop.freeze(catalog)).plan.issues
        if issue.code == "image-unavailable"
    ]
    assert found == [("image-unavailable", "os"), ("image-unavailable", "base")]


async def test_private_images_are_not_asked_for(workshop: Workshop, tmp_path: Path):
    """A reference that stops the plan anyway costs no request; a permitted one is looked up."""
    private = "registry.ci.openshift.org/ocp/4.20:base"
    stream = "permits: [{code: private-reference, reason: we have an account}]\n"
    for permits, asked in (("", []), (stream, [private])):
        workshop.asked.clear()
        catalog = write_stream(tmp_path, {"base": inline(f"FROM {private}")}, stream=permits)
        frozen = await workshop.freeze(catalog)
        assert workshop.asked == asked
        assert frozen.plan.issues[0].code == "private-reference"
        assert frozen.plan.issues[0].blocks is not bool(permits)


async def test_a_registry_that_is_away_is_an_issue(workshop: Workshop, tmp_path: Path):
    """What the registry said, and what to do about it, is passed on."""

    async def resolve(_: Reference) -> Descriptor:
        raise RegistryUnavailable("no answer in 30 s", hint="try again")

    catalog = write_stream(tmp_path, {"base": inline("FROM quay.io/okd/os:1")})
    frozen = await freeze(
        catalog, sources=workshop.sources, resolve=resolve, platform=AMD64, lock=Lock()
    )
    (issue,) = frozen.plan.issues
    assert (issue.message, issue.hint) == ("quay.io/okd/os:1: no answer in 30 s", "try again")


async def test_one_component_costs_what_it_stands_on(workshop: Workshop, tmp_path: Path):
    """With ``only``, sources of what is not needed are never read."""
    fill(workshop)
    workshop.sources.fail(source_of("other"), SourceError("must not be asked"))
    workshop.sources.fail(source_of("top"), SourceError("must not be asked"))
    frozen = await workshop.freeze(layered(tmp_path), only={"middle"})
    assert sorted(frozen.plan.nodes) == ["base", "middle"]
    assert frozen.plan.issues == ()
    assert sorted(frozen.lock.sources) == ["base", "middle"]
    read = {source for verb, source in workshop.sources.operations if verb == "resolve"}
    assert read == {str(source_of("base")), str(source_of("middle"))}


async def test_issues_of_what_is_left_out_do_not_count(workshop: Workshop, tmp_path: Path):
    """Another component's mistakes stop nobody who does not need it; those of parents do."""
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM nowhere"),
            "top": inline("FROM base"),
            "other": inline("FROM lost"),
        },
    )
    whole = await workshop.freeze(catalog)
    assert {issue.component for issue in whole.plan.issues} == {"base", "other"}
    part = await workshop.freeze(catalog, only={"top"})
    assert {issue.component for issue in part.plan.issues} == {"base"}


async def test_a_folder_that_is_not_there_is_told_once(workshop: Workshop, tmp_path: Path):
    """The catalog says it with the line to mend; git need not say it again."""
    catalog = write_stream(tmp_path, {"base": "source: {folder: ./gone}\n"})
    assert [issue.code for issue in (await workshop.freeze(catalog)).plan.issues] == [
        "missing-folder"
    ]


async def test_a_permit_keeps_the_issue_and_takes_its_edge(workshop: Workshop, tmp_path: Path):
    """A permitted issue stays visible and blocks nothing, for its component only."""
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM nowhere"), "other": inline("FROM nowhere")},
        stream="permits: [{code: dangling-reference, component: base, reason: known}]\n",
    )
    first, second = (await workshop.freeze(catalog)).plan.issues
    assert (first.component, first.permitted, first.blocks) == ("base", "known", False)
    assert (second.component, second.permitted, second.blocks) == ("other", "", True)


async def test_a_lock_freezes_without_asking(workshop: Workshop, tmp_path: Path):
    """The same plan comes out of the lock, when branches and tags have moved on."""
    fill(workshop)
    workshop.put("base", "FROM quay.io/okd/os:1\n")
    await push_image(workshop.registry("quay.io/okd/os"), tag="1")
    catalog = layered(tmp_path)
    first = await workshop.freeze(catalog)
    workshop.put("top", "FROM scratch\n")
    await push_image(workshop.registry("quay.io/okd/os"), tag="1", layers=[b"moved"])
    workshop.asked.clear()
    second = await workshop.freeze(catalog, lock=first.lock)
    assert second == first
    assert workshop.asked == []


async def test_a_lock_of_another_source_does_not_count(workshop: Workshop, tmp_path: Path):
    """When the stream names another repository, the lock's commit means nothing."""
    fill(workshop)
    first = await workshop.freeze(layered(tmp_path))
    moved = {**first.lock.sources, "top": first.lock.sources["other"]}
    again = await workshop.freeze(layered(tmp_path), lock=Lock(sources=moved))
    node = again.plan.nodes["top"]
    assert isinstance(node, ComponentNode)
    assert node.commit == first.lock.sources["top"].commit


@pytest.mark.parametrize("permitted", [True, False])
async def test_a_cycle_of_what_is_asked_for_is_told(
    workshop: Workshop, tmp_path: Path, *, permitted: bool
):
    """A circle is found among what is needed, also when it is read step by step."""
    permits = "permits: [{code: dependency-cycle, reason: why not}]\n" if permitted else ""
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM scratch"), "a": inline("FROM b"), "b": inline("FROM a")},
        stream=permits,
    )
    (issue,) = (await workshop.freeze(catalog, only={"a"})).plan.issues
    assert issue.code == "dependency-cycle"
    assert issue.blocks is not permitted
