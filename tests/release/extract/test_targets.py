# SPDX-License-Identifier: Apache-2.0
"""Which tools a release has, and which are meant."""

from __future__ import annotations

import sys

import pytest

from okd_payload.errors import InputError, ReleaseError, UnknownName
from okd_payload.release.extract.targets import (
    Rule,
    all_targets,
    choose_targets,
    read_wish,
)
from okd_payload.release.extract.texts import readme_for

_IMAGES = {target.image for target in all_targets()}


def choose(command="", platform="linux", *, architecture="amd64", images=frozenset(_IMAGES)):
    """The choice of a release that has these images."""
    return choose_targets(
        read_wish(command, platform), architecture=architecture, images=images, release="R"
    )


def archives(choice):
    """The names of archives, without the version."""
    return {target.archive.replace("-%s", "") for target in choice.targets}


def test_every_row_of_the_table_can_be_used():
    """Each has a tool, a page and a place for the version; no two write the same archive."""
    targets = all_targets()
    assert len({target.archive for target in targets}) == len(targets)
    for target in targets:
        page = readme_for(
            target.tool.readme, target.program_name, for_windows=target.is_for_windows
        )
        assert target.program_name in page
        assert target.archive.count("%s") == 1
        assert target.archive.endswith(".zip") == target.is_for_windows


def test_a_system_alone_means_its_common_processor():
    """``linux`` is linux/amd64, where the release's own row takes the place of the fixed one."""
    assert archives(choose()) == {
        *("openshift-client-linux.tar.gz", "openshift-install-linux.tar.gz"),
        *("openshift-client-linux-amd64-rhel8.tar.gz", "openshift-client-linux-amd64-rhel9.tar.gz"),
        *("ccoctl-linux.tar.gz", "ccoctl-linux-rhel8.tar.gz", "ccoctl-linux-rhel9.tar.gz"),
    }


def test_a_release_for_another_processor_has_clients_for_this_one():
    """Of an arm64 release, linux/amd64 means the client that is made for foreign machines."""
    found = archives(choose(architecture="arm64"))
    assert {"openshift-client-linux-amd64.tar.gz", "openshift-install-linux-amd64.tar.gz"} <= found
    assert "openshift-client-linux.tar.gz" not in found
    assert "ccoctl-linux.tar.gz" not in found


def test_everything_is_all_but_what_must_be_asked_for():
    """``*`` takes every row that is not optional, and no row twice."""
    choice = choose(platform="*")
    assert not any(target.rule is Rule.ASKED for target in choice.targets)
    assert "openshift-client-linux-amd64.tar.gz" not in archives(choice)
    assert {target.system for target in choice.targets} == {"linux", "darwin", "windows"}


@pytest.mark.parametrize(
    ("host", "system"), [("linux", "linux"), ("darwin", "darwin"), ("win32", "windows")]
)
def test_by_default_tools_are_for_this_machine(monkeypatch, host, system):
    """Whoever names no platform wants to run the tool."""
    monkeypatch.setattr(sys, "platform", host)
    assert read_wish("oc", "").system == system


@pytest.mark.parametrize("platform", ["mac", "darwin", "mac/amd64", "darwin/amd64"])
def test_macs_have_two_names(platform):
    """What people call it and what Go calls it are the same system."""
    assert archives(choose("oc", platform)) == {"openshift-client-mac.tar.gz"}


@pytest.mark.parametrize("platform", ["linux/amd64/v2", "/amd64", "linux/"])
def test_a_platform_must_have_its_form(platform):
    """Something else than OS or OS/ARCH is refused."""
    with pytest.raises(InputError, match="invalid --command-os value"):
        read_wish("oc", platform)


def test_an_unknown_command_is_refused_with_those_that_exist():
    """A typing error gets the nearest name."""
    with pytest.raises(UnknownName) as caught:
        read_wish("openshift-instal", "linux")
    assert "openshift-install" in caught.value.hint


def test_a_platform_nobody_builds_for_is_refused():
    """The command, the platform and the release are named, and what there is."""
    with pytest.raises(InputError, match="'oc' is not available for plan9/amd64 on R") as caught:
        choose("oc", "plan9")
    assert "darwin/arm64" in caught.value.hint


def test_images_that_are_missing_are_told_apart():
    """What every release must have, and what came later."""
    choice = choose(platform="*", images={"cli", "installer"})
    assert choice.missing_images == ("cli-artifacts", "installer-artifacts")
    assert choice.skipped_images == ("cloud-credential-operator",)


def test_without_any_image_nothing_can_be_done():
    """The images are named, in the words of oc."""
    with pytest.raises(ReleaseError, match='the image "cli" containing the desired command'):
        choose("oc", images=())
    with pytest.raises(ReleaseError, match="some required images are missing: cli, cli-artifacts"):
        choose(platform="linux", images=())
    with pytest.raises(ReleaseError, match='the image "cloud-credential-operator" containing'):
        choose("ccoctl", images=("cli",))
