# SPDX-License-Identifier: Apache-2.0
"""Builders that stand in for others: built where they are needed, like any other image."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases import COMPONENTS, put_sources
from streams import AMD64, inline, write_stream
from workshop import Workshop, actions, from_git

from okd_payload.build.base_release import BaseRelease, freeze_over
from okd_payload.build.change_set import ChangeSet, apply_change_set
from okd_payload.build.edges import list_replacements
from okd_payload.build.job import release_images
from okd_payload.build.plan import ComponentNode, NamedBy
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Argument
from okd_payload.release.load import load_release
from okd_payload.source.lock import Lock
from okd_payload.source.model import FolderSource

CI = "registry.ci.openshift.org/ocp/builder:rhel-9-golang"
BUILDERS = """
builders:
  images:
    - name: go{go}
      definition: builder
      versions: {go: VERSIONS}
      buildArguments: {GO: "{go}"}
    - {name: "node{node}-el{os}", definition: builder, versions: {node: ["20"], os: ["9"]}}
  references:
    - {pattern: "CI-{go}-*"}
  replaces: [builder]
"""


def make_catalog(folder: Path, versions: str = '["1.20", "1.22"]', *, stream: str = "") -> Catalog:
    """A stream whose builders have these Go versions; two components need one."""
    section = BUILDERS.replace("VERSIONS", versions).replace("CI", CI)
    old = f"inputs: [{{image: builder, aliases: ['{CI}-1.19-openshift-4.12']}}]\n"
    return write_stream(
        folder,
        {
            "base": inline("FROM scratch"),
            "builder": from_git("builder", more="base: base\nbuildArguments: {GO: none, A: b}\n"),
            "old": inline(f"FROM {CI}-1.19-openshift-4.12 AS b\nFROM base", more=old),
            "new": inline(f"FROM {CI}-1.21-openshift-4.16 AS b\nFROM base"),
            "plain": inline("FROM base"),
        },
        stream=section + stream,
    )


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop with the source of the builder."""
    made = Workshop(tmp_path / "workshop")
    made.put("builder", "FROM os\nARG GO\nARG A\nRUN install-go $GO\n")
    return made


async def test_only_builders_that_are_needed_are_built(workshop: Workshop, tmp_path: Path) -> None:
    """Each once, with the arguments of its versions; the definition itself is no image."""
    catalog = make_catalog(tmp_path)
    frozen = await workshop.freeze(catalog)
    assert frozen.plan.issues == ()
    assert set(frozen.plan.nodes) == {"base", "go1.20", "go1.22", "new", "old", "plain"}
    assert set(frozen.lock.sources) == {"go1.20", "go1.22"}
    outcome = await workshop.run(catalog, jobs=1)
    assert outcome.is_complete
    assert sorted(workshop.built) == ["base", "go1.20", "go1.22", "new", "old", "plain"]
    steps = {step.component: step for step in workshop.engine.built}
    assert steps["go1.20"].build_arguments == (Argument("A", "b"), Argument("GO", "1.20"))
    assert (
        steps["old"].images[f"{CI}-1.19-openshift-4.12"] == (await workshop.made("go1.20")).digest
    )
    assert (
        steps["new"].images[f"{CI}-1.21-openshift-4.16"] == (await workshop.made("go1.22")).digest
    )
    await workshop.run(catalog)
    assert workshop.built == []


async def test_a_new_version_changes_only_who_gets_it(workshop: Workshop, tmp_path: Path) -> None:
    """With Go 1.21 in the matrix, what asked for it is built anew and nothing else."""
    await workshop.run(make_catalog(tmp_path))
    await workshop.run(make_catalog(tmp_path, '["1.20", "1.21", "1.22"]'))
    assert sorted(workshop.built) == ["go1.21", "new"]


async def test_aliases_give_way_to_builders_that_replace_them(
    workshop: Workshop, tmp_path: Path
) -> None:
    """The alias of the old builder does not count, and the plan says what does and why."""
    frozen = await workshop.freeze(make_catalog(tmp_path))
    node = frozen.plan.nodes["old"]
    assert isinstance(node, ComponentNode)
    assert [(each.node, each.named_by) for each in node.dependencies] == [
        ("go1.20", NamedBy.BUILDER),
        ("base", NamedBy.NAME),
    ]
    listed = [(each.reference, each.means, each.reason) for each in list_replacements(frozen.plan)]
    assert (f"{CI}-1.19-openshift-4.12", "go1.20", "go 1.19 as 1.20") in listed
    assert (f"{CI}-1.21-openshift-4.16", "go1.22", "go 1.21 as 1.22") in listed


async def test_a_tag_of_the_stream_is_taken_instead_of_a_build(
    workshop: Workshop, tmp_path: Path
) -> None:
    """An import under the name of a builder is that builder."""
    catalog = make_catalog(tmp_path, stream="imports: {go1.22: {tag: base}}\n")
    outcome = await workshop.run(catalog)
    assert outcome.is_complete
    assert "go1.22" not in workshop.built
    assert "go1.20" in workshop.built


async def test_a_builder_that_nobody_has_is_an_issue(workshop: Workshop, tmp_path: Path) -> None:
    """Too new a version, and a definition that is not there: one issue each, with its place."""
    too_old = await workshop.freeze(make_catalog(tmp_path, '["1.20"]'))
    (issue,) = too_old.plan.issues
    assert (issue.code, issue.component) == ("no-builder", "new")
    assert "go 1.20" in issue.hint
    catalog = make_catalog(tmp_path, stream="overlays: [{for: builder, skip: gone}]\n")
    skipped = await workshop.freeze(catalog)
    (issue,) = skipped.plan.issues
    assert (issue.code, issue.component) == ("unknown-component", "")
    assert "leaves it out (gone)" in issue.message


async def test_a_change_of_the_definition_reaches_all_builders(
    workshop: Workshop, tmp_path: Path
) -> None:
    """On top of a release, with dependants: every builder of the definition, and who uses it."""
    put_sources(workshop)
    workshop.put("builder", "FROM os\nARG GO\nLABEL x=y\n")
    catalog = write_stream(
        tmp_path,
        COMPONENTS
        | {
            "builder": from_git("builder", more="base: base\n"),
            "operand": inline(f"FROM {CI}-1.19-openshift-4.12 AS b\nFROM base"),
        },
        stream=BUILDERS.replace("VERSIONS", '["1.20", "1.22"]').replace("CI", CI),
    )
    outcome = await workshop.run(catalog)
    assert actions(outcome)["go1.20"] == "built"
    mine = FolderSource(path="/home/me/builder")
    workshop.sources.put(mine, {"Dockerfile": "FROM os\nARG GO\nRUN other\n"}, dirty=True)
    change = ChangeSet(sources={"builder": mine})
    released = await release_images(
        outcome,
        frozen=await workshop.freeze(catalog),
        maker=workshop.release_maker(catalog),
        given=Lock(),
    )
    assert released.result is not None, released.issues
    base = BaseRelease(
        release=await load_release(workshop.releases, released.result.name),
        repository="quay.io/okd/release",
    )
    frozen = await freeze_over(
        apply_change_set(change, catalog),
        base,
        change,
        with_dependants=True,
        sources=workshop.sources,
        resolve=workshop.places.resolve,
        platform=AMD64,
        lock=Lock(),
    )
    assert frozen.only == {"builder", "go1.20", "operand"}


async def test_a_substitution_that_catches_a_builder_is_found_out(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Substitutions come first; where one leads nowhere, the hint says that builders would not."""
    wide = 'substitutions: [{glob: "registry.ci.openshift.org/ocp/*:*", image: "{2}"}]\n'
    frozen = await workshop.freeze(make_catalog(tmp_path, stream=wide))
    issues = [issue for issue in frozen.plan.issues if issue.component == "new"]
    assert [issue.code for issue in issues] == ["dangling-reference"]
    assert "comes before `builders`, which have go1.22 for it" in issues[0].hint
    narrow = wide.replace("ocp/*:*", "ocp/*.*:*").replace("{2}", "{3}")
    frozen = await workshop.freeze(make_catalog(tmp_path, stream=narrow))
    assert frozen.plan.issues == ()
