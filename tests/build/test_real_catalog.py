# SPDX-License-Identifier: Apache-2.0
"""The real catalog of 189 components, planned with what its real Dockerfiles refer to."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from facts import read_trees, serve
from streams import AMD64

from okd_payload.build.edges import count_edges, list_replacements
from okd_payload.build.freeze import read_plan
from okd_payload.build.graph import Graph, waves
from okd_payload.build.plan import ComponentNode, ImportNode, NamedBy, Plan, Relation
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.ci_operator.tree import read_tree
from okd_payload.catalog.component import Component
from okd_payload.catalog.definition import Import, OtherTag
from okd_payload.catalog.load import load_catalog
from okd_payload.catalog.names import TagImage, resolve_image
from okd_payload.issues import Severity
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource
from okd_payload.testing.yardstick import attempt_below

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "own-stream.md"
_UNKNOWN_TO_THE_RECORDING = {
    "alibaba-disk-csi-driver-operator",
    "azure-disk-csi-driver-operator",
    "azure-file-csi-driver-operator",
}
"""Their Dockerfiles were not found when the facts were recorded."""
_NEWER_THAN_THE_CATALOG = {"installer", "installer-artifacts", "ovirt-installer"}
"""The recorded Dockerfiles are of 4.22, and name images that 4.15 does not have."""


@pytest.fixture(scope="module")
def pipeline(shared_data: Path) -> Path:
    """The folder of the catalog's files."""
    return shared_data / "okd-payload-pipeline"


def write(folder: Path, text: str) -> Catalog:
    """The catalog of a stream file with this text."""
    path = folder / "stream.yaml"
    path.write_text(text)
    return load_catalog(path)


@pytest.fixture(scope="module")
def catalog(pipeline: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The stream of the how-to page."""
    text = next(
        block
        for block in re.findall(r"^```yaml\n(.*?)^```", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
        if "catalog:" in block
    )
    folder = tmp_path_factory.mktemp("own-stream")
    return write(folder, text.replace("okd-payload-pipeline/", f"{pipeline}/"))


@pytest.fixture(scope="module")
def plan(catalog: Catalog, shared_data: Path) -> Plan:
    """Its plan, with the facts served as Dockerfiles."""
    trees = read_trees(shared_data)
    by_url = {url: files for (url, _), files in trees.items()}
    for component in catalog.components:  # the page follows newer branches here and there
        if isinstance(component.source, GitSource):
            source = component.source
            trees.setdefault((source.url, source.ref), by_url[source.url])
    return asyncio.run(
        read_plan(catalog, catalog.wanted_tags, sources=serve(trees), platform=AMD64, lock=Lock())
    )


def _declared_tags(component: Component, catalog: Catalog) -> Iterator[str]:
    """The tags of the stream that ``component`` declares, one for each declaration."""
    names = [component.base, *(item.image for item in component.inputs)]
    for name in names:
        image = resolve_image(name, catalog) if name else None
        if isinstance(image, TagImage):
            yield _behind(image.tag, catalog)


def _behind(tag: str, catalog: Catalog) -> str:
    """The tag that ``tag`` is another name of, itself when it is none."""
    seen = {tag}
    while isinstance(entry := catalog.tags.get(tag), Import):
        other = entry.content.tag if isinstance(entry.content, OtherTag) else tag
        if other in seen:
            break
        seen.add(other)
        tag = other
    return tag


@pytest.mark.parametrize("mended", [False, True])
def test_levels_of_declared_inputs_are_those_of_the_reference(
    pipeline: Path, tmp_path: Path, *, mended: bool
) -> None:
    """206 edges of definitions and 372 of the overlay; the dangling one makes the difference.

    The reference counts `network-tools` above `ovn-kubernetes`, whose tag was renamed: until that
    is mended the edge leads nowhere.
    """
    text = f"name: okd\ncatalog: [{{kustomization: {pipeline}/variants/scos}}]\n"
    if mended:
        text += "imports: {ovn-kubernetes: {tag: ovn-kubernetes-rhel-9}}\n"
    catalog = write(tmp_path, text)
    needs = {each.tag: [*_declared_tags(each, catalog)] for each in catalog.components}
    assert sum(map(len, needs.values())) == 206 + 372 + mended
    graph = Graph({tag: tuple(sorted({*needed})) for tag, needed in needs.items()})
    levels = [len(wave) for wave in waves(graph)]
    assert levels == ([3, 1, 175, 8, 2] if mended else [3, 1, 175, 9, 1])


def test_every_real_reference_is_resolved_or_explained(plan: Plan) -> None:
    """Nothing private is left, and what leads nowhere is what the recordings do not have."""
    problems = [issue for issue in plan.issues if issue.severity is Severity.ERROR]
    assert {(issue.code, issue.component) for issue in problems} == {
        *(("missing-dockerfile", name) for name in _UNKNOWN_TO_THE_RECORDING),
        *(("dangling-reference", name) for name in _NEWER_THAN_THE_CATALOG),
    }
    assert all(issue.hint for issue in problems)
    for node in plan.components:
        assert node.foreseen or node.dockerfile or node.component.name in _UNKNOWN_TO_THE_RECORDING


def test_replaced_dockerfiles_are_planned_before_they_are_carried(plan: Plan) -> None:
    """All 17 components that copy their Dockerfile out of an image have real edges."""
    carried = [node for node in plan.components if node.foreseen]
    assert len(carried) == 17
    assert all(Relation.INPUT not in {d.relation for d in node.dependencies} for node in carried)
    tests = plan.nodes["tests"]
    assert isinstance(tests, ComponentNode)
    assert {(each.node, each.named_by) for each in tests.dependencies} == {
        ("builder-go1.20-el9", NamedBy.BUILDER),
        ("tools", NamedBy.BASE),
        ("forked-dockerfiles", NamedBy.NAME),
    }


def test_builders_are_a_few_images_and_every_stand_in_is_listed(plan: Plan) -> None:
    """Some fifty names of builders become eight images; only what is needed is in the plan."""
    replacements = list_replacements(plan)
    builders = [each for each in replacements if each.named_by is NamedBy.BUILDER]
    made = Counter(each.means for each in builders)
    assert set(made) == {
        *(f"builder-go1.{minor}-el9" for minor in range(20, 27)),
        "builder-node20-el9",
    }
    # What cannot be read needs all that it declares, the old builder included.
    in_plan = {name for name in plan.nodes if name.startswith("builder")}
    assert in_plan == {*made, "builder"}
    assert sum(len(each.images) for each in builders) > 150
    exact = [each.reference for each in builders if not each.is_approximate]
    assert all("golang-1.1" not in reference and "rhel-8" not in reference for reference in exact)
    assert Counter(each.is_approximate for each in builders)[True] > 25


def test_edges_say_where_they_come_from(plan: Plan) -> None:
    """Bases are what definitions say, builders are known from Dockerfiles only."""
    counts = {
        (each.relation, each.named_by, each.declared): each.count for each in count_edges(plan)
    }
    assert counts[Relation.BASE, NamedBy.BASE, True] > 180
    assert counts[Relation.FROM, NamedBy.BUILDER, False] > 150
    assert counts[Relation.FILES, NamedBy.NAME, True] == 17
    assert counts[Relation.COPY, NamedBy.ALIAS, True] == 2


def test_useless_inputs_are_told_once(plan: Plan) -> None:
    """The overlay gives cli to 185 components, of which a handful use it: one notice."""
    notices = [issue for issue in plan.issues if issue.code == "unused-input"]
    assert len(notices) < 8
    assert any("no alias of the input cli" in issue.message for issue in notices)


def test_stubs_stay_what_they_are(plan: Plan) -> None:
    """What stands in for a component that is not built says so in the plan."""
    kuryr = plan.nodes["kuryr-cni"]
    assert isinstance(kuryr, ImportNode)
    assert "not packaged" in kuryr.stub


def test_planning_takes_less_than_a_second(
    catalog: Catalog, shared_data: Path, tmp_path: Path
) -> None:
    """Rendering the variant, reading all definitions and planning them: one second of CPU."""
    sources = serve(read_trees(shared_data))
    text = Path(catalog.path).read_text()
    for cost in attempt_below(1.0):
        with cost:
            again = write(tmp_path, text)
            asyncio.run(
                read_plan(again, again.wanted_tags, sources=sources, platform=AMD64, lock=Lock())
            )


def test_everything_loads_in_three_seconds(
    pipeline: Path, shared_data: Path, tmp_path: Path
) -> None:
    """189 definitions, three variants of them and 86 configurations: three seconds of CPU."""
    places = [f"kustomization: {pipeline}/variants/{name}" for name in ("scos", "fcos")]
    places += [
        f"kustomization: {pipeline}/variants/fcos-multiarch",
        f"buildConfigs: {pipeline}/buildconfigs",
    ]
    for cost in attempt_below(3.0):
        with cost:
            for place in places:
                catalog = write(tmp_path, f"name: okd\ncatalog: [{{{place}}}]\n")
                assert len(catalog.components) == 189
            assert len(read_tree(shared_data / "ci-operator-config").configurations) == 86
