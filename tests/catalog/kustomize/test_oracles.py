# SPDX-License-Identifier: Apache-2.0
"""The real variants of the payload pipeline: every field as in the recorded inventories."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Argument, Component, Resources
from okd_payload.catalog.definition import Import, OtherTag, PulledImage
from okd_payload.catalog.kustomize import PatchKind, render_kustomization, require_complete
from okd_payload.catalog.load import load_catalog
from okd_payload.errors import InvalidDocument
from okd_payload.source.model import GitSource
from okd_payload.testing.yardstick import attempt_below

VARIANTS = ("scos", "fcos", "fcos-multiarch")
_MISSING_FOLDER_KINDS = {"Role", "RoleBinding", "ServiceAccount", "WorkflowTemplate"}
_MULTIARCH = "fcos-multiarch"

LoadVariant = Callable[..., Catalog]


@pytest.fixture
def pipeline(shared_data: Path) -> Path:
    """The folder of the payload pipeline."""
    return shared_data / "okd-payload-pipeline"


@pytest.fixture
def load_variant(pipeline: Path, tmp_path: Path) -> LoadVariant:
    """Loads a stream whose catalog is one of the variants."""

    def load(variant: str, more: str = "") -> Catalog:
        folder = pipeline / "variants" / variant
        text = f"name: {variant}\ncatalog: [{{kustomization: {folder}}}]\n{more}"
        (tmp_path / "stream.yaml").write_text(text)
        return load_catalog(tmp_path)

    return load


def _oracle(pipeline: Path, variant: str) -> dict[str, Any]:
    oracle: dict[str, Any] = json.loads((pipeline / "inventory-variants.json").read_text())
    return oracle["variants"][variant]  # type: ignore[no-any-return]  # as the file has it


@pytest.mark.parametrize("variant", VARIANTS)
def test_objects_are_counted_and_placed_as_recorded(pipeline: Path, variant: str) -> None:
    """Kinds, namespaces and names of Namespace objects are those of the recording."""
    oracle = _oracle(pipeline, variant)
    absent = _MISSING_FOLDER_KINDS if variant == _MULTIARCH else set()
    rendered = render_kustomization(pipeline / "variants" / variant).objects
    identities = [each.identity for each in rendered]
    counts = {kind: n for kind, n in oracle["countsByKind"].items() if kind not in absent}
    assert Counter(each.kind for each in identities) == counts
    for kind in counts:
        namespaces = {each.namespace or "None" for each in identities if each.kind == kind}
        assert namespaces == {str(each) for each in oracle["namespaces"][kind]}
    names = [each.name for each in identities if each.kind == "Namespace"]
    assert names == oracle["namespaceObjects"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_pipelines_have_the_tasks_recorded(pipeline: Path, variant: str) -> None:
    """The patch of a pipeline adds to the batch that it is meant for."""
    oracle = _oracle(pipeline, variant)["buildFromScratchTasks"]
    found = {
        each.identity.name: [
            {"task": task["name"], "n": len(_build_configs_of(task))}
            for task in each.document.value["spec"]["tasks"]
        ]
        for each in render_kustomization(pipeline / "variants" / variant).objects
        if each.identity.kind == "Pipeline" and each.identity.name in oracle
    }
    assert found == oracle


def _build_configs_of(task: dict[str, Any]) -> list[str]:
    for parameter in task.get("params", ()):
        if parameter["name"] == "build_configs":
            return list(parameter["value"])
    return []


def _recorded(component: Component) -> dict[str, Any]:
    return {
        "labels": {label.name: label.value for label in component.selector_labels},
        "resources": component.resources,
        "buildArgs": [
            {"name": each.name, "value": each.value} for each in component.build_arguments
        ],
        "imageInputs": [
            {
                "fr": each.image if ":" in each.image else f"release:{each.image}",
                "aliases": len(each.aliases),
                "paths": len(each.copies),
            }
            for each in component.inputs
        ],
    }


def _expected(entry: dict[str, Any]) -> dict[str, Any]:
    limits, requests = entry["resources"]["limits"], entry["resources"]["requests"]
    resources = Resources(
        cpu_request=requests.get("cpu", ""),
        cpu_limit=limits.get("cpu", ""),
        memory_request=requests.get("memory", ""),
        memory_limit=limits.get("memory", ""),
    )
    return {**entry, "resources": resources}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_field_of_every_component_is_as_recorded(
    pipeline: Path, load_variant: LoadVariant, variant: str
) -> None:
    """Labels, resources, build arguments and inputs of all 189 components equal the recording."""
    oracle = _oracle(pipeline, variant)["buildConfigs"]
    definitions = {each.name: each for each in load_variant(variant).components}
    assert len(definitions) == len(oracle) == 189
    for name, component in definitions.items():
        assert _recorded(component) == _expected(oracle[name]), name


def test_what_no_patch_touches_is_as_in_the_files(
    pipeline: Path, load_variant: LoadVariant
) -> None:
    """Sources, Dockerfiles, bases, tags and environment equal the inventory of the files."""
    entries = json.loads((pipeline / "inventory.json").read_text())["buildConfigs"]
    components = {each.name: each for each in load_variant("scos").components}
    for entry in entries:
        component = components[entry["name"]]
        git = (entry["gitUri"], entry["gitRef"] or "")
        source = component.source
        assert (git if isinstance(source, GitSource) else (None, "")) == git
        assert not isinstance(source, GitSource) or (source.url, source.ref) == git
        assert component.tag == entry["output"]["tag"]
        assert component.context_directory == (entry["contextDir"] or ".").lstrip("/")
        assert component.dockerfile_path == (entry["dockerfilePath"] or "Dockerfile")
        base = (entry.get("from") or {}).get("name", "")
        assert component.base == base.removeprefix("release:")
        environment = tuple(Argument(each["name"], each["value"]) for each in entry["env"])
        assert component.environment == environment
        assert Path(component.origin.file).name == Path(entry["file"]).name


@pytest.mark.parametrize("variant", VARIANTS)
def test_tags_are_imports_as_recorded(
    pipeline: Path, load_variant: LoadVariant, variant: str
) -> None:
    """Each tag of the rendered image streams that comes from elsewhere is an import."""
    streams = _oracle(pipeline, variant)["imageStreams"]
    expected = {}
    for stream, tags in streams.items():
        prefix = "" if stream == "release" else f"{stream}:"
        for tag in tags:
            expected[f"{prefix}{tag['name']}"] = _content(tag["from"])
    catalog = load_variant(variant)
    found: dict[str, Any] = {
        each.name: each.content for each in (*catalog.imports, *catalog.foreign_imports)
    }
    stubs_of_built_ones = {"kuryr-cni", "kuryr-controller"}
    assert found == {
        name: content for name, content in expected.items() if name not in stubs_of_built_ones
    }
    assert all(isinstance(each, Import) for each in catalog.imports)


def _content(origin: dict[str, str]) -> PulledImage | OtherTag:
    if origin["kind"] == "DockerImage":
        return PulledImage(origin["name"])
    return OtherTag(origin["name"].removeprefix("release:"))


def test_arguments_that_a_patch_threw_away_are_told(pipeline: Path) -> None:
    """baremetal-installer loses two build tags, with the place of the patch that did it."""
    folder = pipeline / "variants" / "scos"
    rendered = {
        each.identity.name: each
        for each in render_kustomization(folder).objects
        if each.identity.kind == "BuildConfig"
    }
    (replaced,) = rendered["baremetal-installer"].replaced_lists
    assert replaced.field == ("spec", "strategy", "dockerStrategy", "buildArgs")
    assert replaced.lost == ({"name": "TAGS", "value": "baremetal libvirt okd"},)
    assert replaced.replacement == ({"name": "TAGS", "value": "scos"},)
    assert replaced.patch.file == str(folder / "kustomization.yaml")
    assert replaced.patch.line == 9
    assert replaced.patch.kind is PatchKind.STRATEGIC_MERGE
    assert len(rendered["baremetal-installer"].patches) == 5
    assert not rendered["etcd"].replaced_lists


def test_missing_folder_of_a_variant_may_be_permitted(load_variant: LoadVariant) -> None:
    """The workflows that are not there are one issue, and the rest is read."""
    catalog = load_variant(_MULTIARCH)
    (issue,) = [each for each in catalog.issues if each.code == "missing-resource"]
    assert issue.line == 7
    assert issue.file.endswith("variants/fcos-multiarch/kustomization.yaml")
    assert issue.blocks
    assert len(catalog.components) == 189


def test_incomplete_renderings_can_be_refused(pipeline: Path) -> None:
    """A reader that wants all or nothing gets one error that says file and line."""
    with pytest.raises(InvalidDocument, match=r"kustomization\.yaml:7: .*argo-workflows"):
        require_complete(render_kustomization(pipeline / "variants" / _MULTIARCH))
    complete = render_kustomization(pipeline / "variants" / "scos")
    assert require_complete(complete) is complete


def test_broken_file_of_the_coreos_pipeline_hides_nothing(shared_data: Path) -> None:
    """The image stream that is not YAML is told with file and line; the environment renders."""
    coreos = shared_data / "okd-coreos-pipeline"
    broken = coreos / "base" / "image.openshift.io" / "imagestreams" / "okd-artifacts"
    rendering = render_kustomization(broken)
    (issue,) = rendering.issues
    assert (issue.code, Path(issue.file).name, issue.line) == (
        "invalid-object",
        "imagestream.yaml",
        27,
    )
    assert not rendering.objects
    assert not render_kustomization(coreos / "environments" / "moc").issues


def test_variants_load_in_well_under_a_second(load_variant: LoadVariant) -> None:
    """The 189 definitions of a variant, patched and read, take less than a second of CPU."""
    load_variant("fcos")
    for cost in attempt_below(1.0):
        with cost:
            load_variant("scos")
