# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog show``: which components form a stream."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ETCD = "https://git.example.com/etcd"
STREAM = """\
name: demo
catalog: [{components: components}]
git: {branch: main, exceptions: {etcd: v3}}
imports:
  cluster-version-operator: {image: quay.test/cvo:1}
  same: {tag: api}
  kuryr: {image: quay.test/none:1, stub: nobody builds it}
  root: {command: [sh, -c, exit 1]}
components: {old: {skip: it was removed}}
"""
COMPONENTS = {
    "api": "source: {git: https://git.example.com/api}\ndockerfile: Dockerfile.ocp\ncontext: a\n",
    "etcd": "source: {git: https://git.example.com/etcd}\ntag: etcd-3\n"
    "sharing: {kind: shared, reason: no variant}\n",
    "inline": "inlineDockerfile: FROM api\n",
    "old": "source: {git: https://git.example.com/old}\n",
}


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """A stream with a component of each kind."""
    (tmp_path / "components").mkdir()
    (tmp_path / "stream.yaml").write_text(STREAM)
    for name, text in COMPONENTS.items():
        (tmp_path / "components" / f"{name}.yaml").write_text(text)
    return tmp_path


def test_the_components_are_listed(run_cli, stream: Path, monkeypatch):
    """With everything that people ask about one; imports and what is left out come behind."""
    monkeypatch.chdir(stream)
    code, out, err = run_cli("catalog", "show")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines == [
        "demo: 3 components, 4 imports, 1 left out",
        "",
        "COMPONENT TAG SOURCE REF DOCKERFILE CLASS DEFINED IN",
        "api api https://git.example.com/api main a/Dockerfile.ocp - components/api.yaml:1",
        f"etcd etcd-3 {ETCD} v3 Dockerfile shared: no variant components/etcd.yaml:1",
        "inline inline - - (inline) - components/inline.yaml:1",
        "",
        "IMPORT IMAGE STANDS IN BECAUSE",
        "cluster-version-operator quay.test/cvo:1 -",
        "kuryr quay.test/none:1 nobody builds it",
        "root sh -c exit 1 -",
        "same api -",
        "",
        "LEFT OUT WHY",
        "old it was removed",
    ]


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_programs_get_it_all(run_cli, stream: Path, output: str):
    """Every field of the table is a field of the document, and the reason of the class."""
    import yaml

    code, out, _ = run_cli("catalog", "show", stream, "-o", output)
    assert code == 0
    printed = json.loads(out) if output == "json" else yaml.safe_load(out)
    assert printed["stream"] == "demo"
    assert printed["components"][1] == {
        "name": "etcd",
        "tag": "etcd-3",
        "source": "https://git.example.com/etcd",
        "ref": "v3",
        "context": ".",
        "dockerfile": "Dockerfile",
        "sharing": "shared",
        "sharingReason": "no variant",
        "origin": {"file": f"{stream}/components/etcd.yaml", "line": 1},
        "evidence": "",
    }
    assert printed["imports"][1]["stub"] == "nobody builds it"
    assert printed["skipped"] == [{"name": "old", "tag": "old", "reason": "it was removed"}]
    assert printed["issues"] == []


def test_what_is_wrong_is_told_beside(run_cli, stream: Path):
    """The list is whole all the same, but for what cannot be read."""
    (stream / "components" / "bad.yaml").write_text("colour: red\n")
    code, out, err = run_cli("catalog", "show", stream / "stream.yaml")
    assert code == 1
    assert out.startswith("demo: 3 components")
    assert "[invalid-definition]" in err


def test_a_stream_that_is_not_there_is_refused(run_cli, tmp_path: Path):
    """The file that was looked for is named."""
    code, out, err = run_cli("catalog", "show", tmp_path)
    assert (code, out) == (2, "")
    assert "there is no" in err
