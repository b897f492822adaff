# SPDX-License-Identifier: Apache-2.0
"""``okd-payload render gitops``: both tools apply what ``deploy tekton --to`` wrote."""

from __future__ import annotations

import pytest
import yaml
from small_stream import write_stream

SOURCE = "https://git.example.com/okd/streams"


def render(run_cli, tmp_path, source):
    """The objects by their kinds."""
    folder = tmp_path / "gitops"
    arguments = ("--source", source, "--source-folder", "deployed/small", "--to", folder)
    code, out, err = run_cli("render", "gitops", write_stream(tmp_path), *arguments)
    assert code == 0, err
    assert out.splitlines() == [f"{folder}/argo-cd.yaml", f"{folder}/flux.yaml"]
    texts = (folder / name for name in ("argo-cd.yaml", "flux.yaml"))
    found = [each for path in texts for each in yaml.safe_load_all(path.read_text())]
    return {each["kind"]: each for each in found}


def test_argo_cd_applies_the_folder_and_prunes(run_cli, tmp_path):
    """As deploy does it: on the server, removing what is gone, mending what drifted."""
    spec = render(run_cli, tmp_path, f"{SOURCE}@release")["Application"]["spec"]
    assert spec["source"] == {
        "repoURL": SOURCE,
        "targetRevision": "release",
        "path": "deployed/small",
    }
    assert spec["destination"]["namespace"] == "okd-payload-small"
    assert spec["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]


def test_flux_follows_the_repository(run_cli, tmp_path):
    """The Kustomization is of the repository beside it."""
    found = render(run_cli, tmp_path, SOURCE)
    repository, kustomization = found["GitRepository"], found["Kustomization"]
    assert repository["spec"]["url"] == SOURCE
    assert repository["spec"]["ref"] == {"branch": "main"}
    assert kustomization["spec"]["sourceRef"]["name"] == repository["metadata"]["name"]
    assert kustomization["spec"]["path"] == "./deployed/small"
    assert kustomization["spec"]["prune"] is True
    assert kustomization["apiVersion"] == "kustomize.toolkit.fluxcd.io/v1"


@pytest.mark.parametrize("source", ["git@example.com:a/b", "https://me:pass@example.com/a/b"])
def test_addresses_that_cannot_be_followed(run_cli, tmp_path, source):
    """And no password is printed."""
    arguments = ("--source", source, "--source-folder", "x", "--to", tmp_path / "gitops")
    code, _, err = run_cli("render", "gitops", write_stream(tmp_path), *arguments)
    assert code == 2
    assert "pass@" not in err
    assert not (tmp_path / "gitops").exists()
