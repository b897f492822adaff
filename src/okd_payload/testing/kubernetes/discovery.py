# SPDX-License-Identifier: Apache-2.0
"""What an API server says of itself: its version, its groups, and the kinds in each."""

from __future__ import annotations

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.resources import Resource, Resources

_STATUS_VERBS = ["get", "patch", "update"]
_OTHER_VERBS = {"log": ["get"]}


def describe_version(version: str) -> JsonObject:
    """The answer to ``/version``."""
    major, minor = version.lstrip("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": version,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2025-01-01T00:00:00Z",
        "goVersion": "go1.26.5",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def describe_core() -> JsonObject:
    """The answer to ``/api``."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def describe_groups(resources: Resources) -> JsonObject:
    """The answer to ``/apis``."""
    groups = [
        describe_group(resources, name, whole=False) for name in sorted(resources.groups()) if name
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def describe_group(resources: Resources, name: str, *, whole: bool = True) -> JsonObject:
    """The answer to ``/apis/GROUP``; empty for a group that is not there."""
    members = resources.groups().get(name, [])
    versions = sorted({each for member in members for each in member.versions}, key=_rank)
    listed = [{"groupVersion": f"{name}/{each}", "version": each} for each in versions]
    if not listed:
        return {}
    head = {"kind": "APIGroup", "apiVersion": "v1"} if whole else {}
    return {**head, "name": name, "versions": listed, "preferredVersion": listed[0]}


def describe_resources(resources: Resources, group: str, version: str) -> JsonObject:
    """The answer to ``/apis/GROUP/VERSION``; empty for one that is not there."""
    members = [each for each in resources.groups().get(group, []) if version in each.versions]
    if not members:
        return {}
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": [entry for member in members for entry in _entries(member)],
    }


def _entries(resource: Resource) -> list[JsonObject]:
    entry: JsonObject = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    below = [
        {
            "name": f"{resource.plural}/{subresource}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": _STATUS_VERBS
            if subresource == "status"
            else _OTHER_VERBS.get(subresource, ["create"]),
        }
        for subresource in resource.subresources
    ]
    return [entry, *below]


def _rank(version: str) -> tuple[int, int, int]:
    """Where a version stands among others: stable ones first, then beta, then alpha."""
    text = version.removeprefix("v")
    for rank, word in ((1, "beta"), (2, "alpha")):
        major, found, minor = text.partition(word)
        if found:
            return (rank, -int(major or 0), -int(minor or 0))
    return (0, -int(text) if text.isdecimal() else 0, 0)
