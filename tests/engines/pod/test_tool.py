# SPDX-License-Identifier: Apache-2.0
"""The tool in a pod: no secret in clear, no more rights than needed, all of it set."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from okd_payload import __version__
from okd_payload.engines.pod.image import IMAGE_VARIABLE, choose_image
from okd_payload.engines.pod.security import SecurityProfile, build_rights
from okd_payload.engines.pod.tool import (
    GIT_CREDENTIALS_FOLDER,
    ToolSettings,
    build_pod,
    plain_pod,
    registry_words,
)
from okd_payload.errors import InvalidReference

SETTINGS = ToolSettings(
    image="registry.test/tool:1",
    credentials="pull-and-push",
    trust="company-roots",
    plain_http=("registry.test:5000",),
)


def test_credentials_are_a_mounted_secret():
    """The pod names the Secret, and the variable the file; nobody's password is anywhere."""
    pod = build_pod(["step", "build"], SETTINGS)
    (files,) = [volume.secret for volume in pod.volumes if volume.secret is not None]
    variables = {item.name: item.value for item in pod.container.environment}
    assert files.secret_name == "pull-and-push"
    assert variables["REGISTRY_AUTH_FILE"] == "/credentials/config.json"
    (mount,) = [it for it in pod.container.mounts if it.mount_path == "/credentials"]
    assert mount.read_only


def test_without_credentials_nothing_is_mounted():
    """A pod that needs no Secret does not wait for one."""
    pod = build_pod([], ToolSettings(image="registry.test/tool:1"))
    assert [volume.name for volume in pod.volumes] == ["work"]
    assert "REGISTRY_AUTH_FILE" not in {item.name for item in pod.container.environment}


@pytest.mark.integration
def test_git_gives_each_host_its_own_credentials(tmp_path: Path):
    """The pod mounts git's own file; other hosts are told nothing, and nothing is written."""
    pod = build_pod([], ToolSettings(image="registry.test/tool:1", git_credentials="forge"))
    (files,) = [volume.secret for volume in pod.volumes if volume.secret is not None]
    (mount,) = [it for it in pod.container.mounts if it.name == "git-credentials"]
    assert (files.secret_name, mount.mount_path, mount.read_only) == (
        "forge",
        GIT_CREDENTIALS_FOLDER,
        True,
    )
    (tmp_path / files.items[0].path).write_text("https://me:hunter2@git.example.com\n")
    variables = {
        item.name: item.value.replace(GIT_CREDENTIALS_FOLDER, str(tmp_path))
        for item in pod.container.environment
        if item.name.startswith("GIT_")
    }
    tmp_path.chmod(0o555)

    def ask(host: str, verb: str = "fill") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "credential", verb],
            input=f"protocol=https\nhost={host}\nusername=me\npassword=hunter2\n"
            if verb == "approve"
            else f"protocol=https\nhost={host}\n",
            env={"PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0", **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    assert "password=hunter2" in ask("git.example.com").stdout
    assert ask("other.example.com").stdout == ""
    approved = ask("git.example.com", "approve")
    assert (approved.returncode, approved.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [".git-credentials"]


def test_everything_is_written_to_the_work_volume():
    """Home, cache, state and temporary files are below the one volume that is mounted."""
    variables = {item.name: item.value for item in build_pod([], SETTINGS).container.environment}
    for name in ("HOME", "OKD_PAYLOAD_CACHE", "OKD_PAYLOAD_STATE", "TMPDIR"):
        assert variables[name].startswith("/work")


def test_commands_are_told_how_to_reach_registries():
    """Hosts without TLS and further roots are options of the command in the pod."""
    assert registry_words(SETTINGS) == (
        *("--certificate-authority", "/trust/ca.crt"),
        *("--plain-http", "registry.test:5000"),
    )


def test_a_pod_that_builds_nothing_has_no_rights():
    """It is let through by the strictest level of pod security admission."""
    pod = plain_pod(["step", "release"], SETTINGS)
    assert pod.rights.admission_level == "restricted"
    security = msgspec.to_builtins(pod.container.security)
    assert security["allowPrivilegeEscalation"] is False
    assert security["runAsNonRoot"] is True
    assert security["capabilities"] == {"drop": ("ALL",)}


@pytest.mark.parametrize("profile", SecurityProfile)
def test_only_one_profile_is_privileged(profile: SecurityProfile):
    """The two others take all capabilities away and give back those that are named."""
    security = build_rights(profile).container
    assert bool(security.privileged) is (profile is SecurityProfile.PRIVILEGED)
    if profile is not SecurityProfile.PRIVILEGED:
        assert security.capabilities is not None
        assert security.capabilities.drop == ("ALL",)


def test_the_image_is_of_this_version(monkeypatch: pytest.MonkeyPatch):
    """Option beats environment beats the public image of this version."""
    monkeypatch.delenv(IMAGE_VARIABLE, raising=False)
    assert choose_image().endswith(f":{__version__}")
    monkeypatch.setenv(IMAGE_VARIABLE, "registry.test/tool:2")
    assert choose_image() == "registry.test/tool:2"
    assert choose_image("registry.test/tool:3") == "registry.test/tool:3"


def test_an_image_that_cannot_be_one_is_refused():
    """A mistyped name is told here, and not by the node that cannot pull it."""
    with pytest.raises(InvalidReference):
        choose_image("Not A/Valid::name")
