# SPDX-License-Identifier: Apache-2.0
"""What is published is what hubs list: their conditions, held one by one."""

from __future__ import annotations

import msgspec
import pytest
import yaml

from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.catalogue.check import check_entries
from okd_payload.engines.tekton.catalogue.entry import make_entry
from okd_payload.engines.tekton.catalogue.folder import render_catalogue
from okd_payload.engines.tekton.catalogue.readme import write_readme
from okd_payload.engines.tekton.rendering import render_tasks

IMAGE = "quay.test/okd/tool:1.2.3"
CREATED = "2026-01-02T03:04:05Z"


def entries(version="1.2.3"):
    """All Tasks as entries."""
    tasks = render_tasks((), ToolSettings(image=IMAGE))
    return tuple(
        make_entry(task, version=version, platforms=("linux/amd64",), image=IMAGE) for task in tasks
    )


def changed(entry, **fields):
    """``entry`` with another manifest."""
    return msgspec.structs.replace(
        entry, manifest=msgspec.structs.replace(entry.manifest, **fields)
    )


def test_our_own_entries_are_complete():
    """Nothing is left to be told by a hub's log."""
    assert check_entries(entries()) == []


def test_the_layout_is_that_of_catalogs():
    """Name, version, and a file of the same name, as the trackers of hubs look for them."""
    files = {
        file.path: file.text for file in render_catalogue(entries(), created=CREATED, known={})
    }
    for entry in entries():
        folder = f"task/{entry.name}/1.2.3"
        manifest = yaml.safe_load(files[f"{folder}/{entry.name}.yaml"])
        assert manifest["metadata"]["name"] == entry.name
        assert manifest["metadata"]["labels"]["app.kubernetes.io/version"] == "1.2.3"
        assert manifest["spec"]["description"]
        assert "namespace" not in manifest["metadata"]
        annotations = manifest["metadata"]["annotations"]
        assert annotations["tekton.dev/pipelines.minVersion"] == "0.44.0"
        assert annotations["tekton.dev/platforms"] == "linux/amd64"
        for name in ("categories", "tags", "displayName"):
            assert annotations[f"tekton.dev/{name}"]
        assert yaml.safe_load(annotations["artifacthub.io/links"])[0]["name"] == "support"
        package = yaml.safe_load(files[f"{folder}/artifacthub-pkg.yml"])
        for field in ("version", "name", "displayName", "createdAt", "description"):
            assert package[field], field
        assert package["version"] == "1.2.3"
        assert package["containersImages"][0]["image"] == IMAGE
        assert f"({folder}/README.md)" in files["README.md"]


def test_a_page_tells_all_that_a_task_takes_and_gives():
    """It is written from the Task, and so tells nothing else."""
    for entry in entries():
        page = write_readme(entry)
        told = (*entry.parameters, *entry.workspaces, *entry.results)
        assert all(f"| `{each.name}` |" in page for each in told)
        assert "## Privileges" in page


def test_a_page_says_which_rights_a_task_has():
    """Only what builds is more than an ordinary user."""
    pages = {entry.name: write_readme(entry) for entry in entries()}
    assert "with the capabilities" in pages["okd-payload-component"]
    assert "an ordinary user with no capability" in pages["new-release"]


def test_the_first_publication_is_remembered():
    """Rendering the same version again changes no byte; only a new version has a new time."""
    first = render_catalogue(entries(), created=CREATED, known={})
    times = {
        file.path: yaml.safe_load(file.text)["createdAt"]
        for file in first
        if file.path.endswith("artifacthub-pkg.yml")
    }
    assert set(times.values()) == {CREATED}
    later = "2027-01-01T00:00:00Z"
    assert render_catalogue(entries(), created=later, known=times) == first
    newer = render_catalogue(entries("2.0.0"), created=later, known=times)
    assert all(later in file.text for file in newer if file.path.endswith("artifacthub-pkg.yml"))


@pytest.mark.parametrize("version", ["latest", "1", "1.2", "01.2.3", ""])
def test_a_version_that_hubs_skip_is_an_error(version):
    """They do not list it, and say so nowhere."""
    found = check_entries(entries(version)[:1])
    assert any(issue.code == "catalogue-unlisted" and "version" in issue.message for issue in found)


def test_what_is_missing_is_named():
    """An entry without description, label, annotation, or with parameters that nobody knows."""
    (entry, *_) = entries()
    manifest = entry.manifest
    silent = msgspec.structs.replace(manifest.spec, description="")
    assert "description" in check_entries([changed(entry, spec=silent)])[0].message
    bare = msgspec.structs.replace(manifest.metadata, labels={}, annotations={})
    assert len(check_entries([changed(entry, metadata=bare)])) == 6
    parameters = tuple(
        msgspec.structs.replace(each, description="") for each in manifest.spec.params
    )
    undescribed = msgspec.structs.replace(manifest.spec, params=parameters)
    found = check_entries([changed(entry, spec=undescribed)])
    assert {issue.code for issue in found} == {"catalogue-undescribed"}
    assert len(found) == len(parameters)
