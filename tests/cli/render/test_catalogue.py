# SPDX-License-Identifier: Apache-2.0
"""``okd-payload render catalogue``: a folder for hubs, and a bundle in a registry."""

from __future__ import annotations

import asyncio

import pytest
import yaml
from small_stream import write_stream

from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient


def test_a_catalogue_of_the_tasks(run_cli, tmp_path):
    """Without a stream: what everybody can use."""
    folder = tmp_path / "catalogue"
    code, out, err = run_cli("render", "catalogue", "--to", folder, "--version", "1.0.0")
    assert (code, err) == (0, "")
    names = {path.parent.parent.name for path in folder.glob("task/*/1.0.0/*.yaml")}
    assert {"batch-build", "new-release", "okd-payload-component"} <= names
    assert len(out.splitlines()) == 3 * len(names) + 1
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run_cli("render", "catalogue", "--to", folder, "--version", "1.0.0").code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert run_cli("render", "catalogue", "--to", folder, "--version", "1.1.0").code == 0
    assert before.items() - {
        (path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    } == {(folder / "README.md", before[folder / "README.md"])}


@pytest.mark.parametrize("content", ["", "a: 1\n---\nb: 2\n", "a: 1\n"])
def test_a_package_file_that_is_none(run_cli, tmp_path, content):
    """It is named: its date would be lost if it were written anew."""
    words = ("render", "catalogue", "--to", tmp_path, "--version", "1.0.0")
    assert run_cli(*words).code == 0
    package = min(tmp_path.rglob("artifacthub-pkg.yml"))
    package.write_text(content)
    ended = run_cli(*words)
    assert ended.code == 2, ended.err
    assert str(package) in ended.err
    assert package.read_text() == content


def test_a_stream_brings_its_pipeline(run_cli, tmp_path):
    """One entry more, of another kind."""
    folder = tmp_path / "catalogue"
    stream = write_stream(tmp_path)
    code, _, err = run_cli("render", "catalogue", stream, "--to", folder, "--version", "1.0.0")
    assert code == 0, err
    (path,) = folder.glob("pipeline/*/1.0.0/*.yaml")
    manifest = yaml.safe_load(path.read_text())
    assert manifest["kind"] == "Pipeline"
    assert manifest["metadata"]["name"] == path.stem


@pytest.mark.integration
def test_a_bundle_in_a_registry(run_cli, tmp_path, docker_registry):
    """Pushed once and found by its tag; pushed again it is the same."""
    place = f"{docker_registry}/catalogue/tasks:1.0.0"
    first = run_cli("render", "catalogue", "--bundle", place, "--version", "1.0.0")
    assert first.code == 0, first.err
    again = run_cli("render", "catalogue", "--bundle", place, "--version", "1.0.0")
    assert again.out == first.out

    async def read():
        async with RegistryClient() as client:
            repository = client.repository(parse_reference(place))
            return await repository.manifests.get("1.0.0")

    manifest = asyncio.run(read())
    assert first.out.strip() == f"{docker_registry}/catalogue/tasks@{manifest.digest}"
    names = {each.annotations["dev.tekton.image.name"] for each in manifest.image().layers}
    assert "new-release" in names


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "nothing says where to"),
        (("--bundle", "quay.test/okd/tasks"), "no place for a bundle"),
        (("--to", "x", "--version", "newest"), "catalogue-unlisted"),
    ],
)
def test_what_cannot_be_published(run_cli, tmp_path, monkeypatch, options, says):
    """It is said before anything is written."""
    monkeypatch.chdir(tmp_path)
    code, _, err = run_cli("render", "catalogue", *options)
    assert code == 2
    assert says in err
    assert not (tmp_path / "x").exists()
