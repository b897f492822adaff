# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step probe``: what a pod finds out about its place."""

from __future__ import annotations

import pytest

from okd_payload.engines.pod.readiness.probe_report import decode_report


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine without any program."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.mark.usefixtures("bare_machine")
def test_a_place_that_cannot_build(run_cli, tmp_path):
    """What is wrong is told, and written where the pod's state is; the exit code is 1."""
    report = tmp_path / "report"
    code, _, err = run_cli("step", "probe", "--report", report, "--repository", "127.0.0.1:1/a")
    assert code == 1
    assert "no-buildah" in err
    found = decode_report(report.read_text())
    assert found is not None
    assert [issue.code for issue in found.issues] == ["no-buildah", "registry-out-of-reach"]
    assert found.repository == "127.0.0.1:1/a"


@pytest.mark.integration
def test_a_place_that_can_build(run_cli, tmp_path, docker_registry):
    """A small image is built, and the repository has a blob more and no tag."""
    report = tmp_path / "report"
    where = f"{docker_registry}/probe"
    code, _, err = run_cli("step", "probe", "--report", report, "--repository", where)
    assert code == 0, err
    found = decode_report(report.read_text())
    assert found is not None
    assert found.driver
    assert not any(issue.blocks for issue in found.issues)
