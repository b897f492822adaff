# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine without any program."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.mark.usefixtures("bare_machine")
def test_a_bare_machine_gets_the_command_that_mends_it(run_cli):
    """What is missing is listed with the command for this distribution; the exit code is 1."""
    code, out, _ = run_cli("doctor")
    assert code == 1
    assert "missing  buildah" in out
    assert "needed: 1.28 or newer" in out
    assert "This installs what is missing:" in out
    assert out.endswith("The main job cannot be done yet on this machine.\n")


@pytest.mark.usefixtures("bare_machine")
def test_programs_get_the_same_as_a_document(run_cli):
    """``-o json`` prints one object with the verdict and every finding."""
    code, out, _ = run_cli("doctor", "-o", "json")
    assert code == 1
    told = json.loads(out)
    assert told["ready"] is False
    assert told["builds"] is None
    assert {"buildah", "git", "disk space"} <= {finding["name"] for finding in told["findings"]}


@pytest.mark.integration
def test_this_machine_is_examined(run_cli):
    """On a machine that was set up, the main job can be done, and doctor says so."""
    code, out, err = run_cli("doctor")
    assert code == 0, out + err
    assert "error:" not in err
    assert "ok       buildah 1." in out
    assert "The main job can be done on this machine." in out
