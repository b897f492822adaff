# SPDX-License-Identifier: Apache-2.0
"""Tools are found by the system that people have, whatever the version in their names."""

from __future__ import annotations

import pytest

from okd_payload.release.extract.targets import all_targets
from okd_payload.web.downloads.arranging import arrange
from okd_payload.web.downloads.store import ToolFile


def files(*names: str) -> list[ToolFile]:
    """Files of these names."""
    return [ToolFile(name=name, size=1) for name in names]


@pytest.mark.parametrize(
    ("name", "system", "tool", "architecture", "built_for"),
    [
        ("openshift-client-linux-4.20.0-0.okd-scos-1.tar.gz", "Linux", "oc and kubectl", "", ""),
        ("openshift-client-linux-amd64-4.2.tar.gz", "Linux", "oc and kubectl", "amd64", ""),
        ("openshift-client-linux-arm64-rhel8-4.2.tar.gz", "Linux", "oc and kubectl", "arm64",
         "RHEL 8"),
        ("openshift-client-mac-arm64-4.2.tar.gz", "macOS", "oc and kubectl", "arm64", ""),
        ("openshift-client-windows-4.2.zip", "Windows", "oc and kubectl", "amd64", ""),
        ("openshift-install-mac-4.2.tar.gz", "macOS", "openshift-install", "amd64", ""),
        ("openshift-install-rhel-4.2.tar.gz", "Linux", "openshift-install", "", "FIPS"),
        ("ccoctl-linux-rhel9-4.2.tar.gz", "Linux", "ccoctl", "", "RHEL 9"),
    ],
)  # fmt: skip
def test_a_name_says_for_whom_a_file_is(name, system, tool, architecture, built_for) -> None:
    """The most exact entry of the table counts: names of one begin like names of others."""
    (group,) = arrange(files(name)).groups
    (found,) = group.downloads
    assert (group.system, found.tool) == (system, tool)
    assert (found.architecture, found.built_for) == (architecture, built_for)


def test_every_tool_of_the_table_is_listed() -> None:
    """None is lost, and nothing else is taken for a tool."""
    names = sorted({target.archive % "4.20.0" for target in all_targets()})
    arranged = arrange(files(*names, "release.txt", "sha256sum.txt"))
    listed = [each.file.name for group in arranged.groups for each in group.downloads]
    assert sorted(listed) == names
    assert [each.name for each in arranged.texts] == ["release.txt", "sha256sum.txt"]
    assert [group.system for group in arranged.groups] == ["Linux", "macOS", "Windows"]
