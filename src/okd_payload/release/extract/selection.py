# SPDX-License-Identifier: Apache-2.0
"""Choosing objects of a payload: credentials requests, those of one cloud, those of a cluster.

Whether an object is for a cluster is decided by ``release.cluster``. What is chosen keeps its
bytes: a file of which every object is wanted stays as it is, of any other the wanted documents
are cut out, comments and all. A document that the cluster could not read is left out and told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from okd_payload.errors import InputError
from okd_payload.issues import Issue, Severity
from okd_payload.release import codes, labels
from okd_payload.release.cluster.annotations import read_annotations
from okd_payload.release.cluster.include import why_excluded
from okd_payload.release.cluster.settings import ClusterSettings
from okd_payload.release.extract.payload import new_file
from okd_payload.release.load import ReleaseContent
from okd_payload.release.objects import ManifestObject, read_objects
from okd_payload.release.output_folder import NewFile

CLOUDS: Final = {
    "alibabacloud": "AlibabaCloudProviderSpec",
    "aws": "AWSProviderSpec",
    "azure": "AzureProviderSpec",
    "gcp": "GCPProviderSpec",
    "ibmcloud": "IBMCloudProviderSpec",
    "nutanix": "NutanixProviderSpec",
    "openstack": "OpenStackProviderSpec",
    "ovirt": "OvirtProviderSpec",
    "powervs": "IBMCloudPowerVSProviderSpec",
    "vsphere": "VSphereProviderSpec",
}
"""The kind of ``spec.providerSpec`` in a credentials request for each cloud."""

_GROUP, _KIND, _VERSION = "cloudcredential.openshift.io", "CredentialsRequest", "v1"
_SEPARATOR = re.compile(rb"^---[ \t\r\v\f]*(?:#.*)?$", re.MULTILINE)
_BLANKS = " \t\r\n"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects are wanted."""

    credentials_requests: bool = False
    """Whether only credentials requests are."""
    cloud: str | None = None
    """The platform that credentials requests must be for; None for any."""
    cluster: ClusterSettings | None = None
    """The cluster that objects must be for; None for any."""

    def wants(self, item: ManifestObject) -> bool:
        """Whether ``item`` is one of them."""
        is_request = _is_credentials_request(item)
        if self.credentials_requests and not is_request:
            return False
        if self.cloud is not None and is_request and _provider_of(item) != CLOUDS.get(self.cloud):
            return False
        if self.cluster is None:
            return True
        if self.credentials_requests and read_annotations(item.value) is None:
            return _has_no_annotations(item.value)
        return not why_excluded(item, self.cluster)


class Selected(msgspec.Struct, frozen=True):
    """What was chosen, and which documents could not be read."""

    files: tuple[NewFile, ...]
    issues: tuple[Issue, ...] = ()


def check_cloud(cloud: str) -> str:
    """``cloud``, in lower case. Raises InputError when no credentials are known for it."""
    name = cloud.lower()
    if name not in CLOUDS:
        raise InputError(
            f"--cloud: {cloud!r} is no cloud that has credentials requests",
            hint=f"there are: {', '.join(CLOUDS)}",
        )
    return name


def select_files(content: ReleaseContent, selection: Selection) -> Selected:
    """The files of ``content`` with the objects that are wanted, those without any left out.

    The two files about the release belong to every selection but that of credentials requests.
    """
    files: list[NewFile] = []
    issues: list[Issue] = []
    if not selection.credentials_requests:
        known = (labels.IMAGE_REFERENCES, labels.RELEASE_METADATA)
        files += [new_file(content, name) for name in known if name in content.files]
    for name, text in content.manifests.items():
        kept, found = _select_documents(name, text, selection)
        issues += found
        if kept:
            files.append(new_file(content, name, kept))
    return Selected(tuple(files), tuple(issues))


def _select_documents(name: str, content: bytes, selection: Selection) -> tuple[bytes, list[Issue]]:
    kept: list[bytes] = []
    issues: list[Issue] = []
    left_out = False
    lines = 0
    for document in cut_documents(content):
        file = read_objects(document)
        issues += [
            _unreadable(name, problem.message, problem.line and lines + problem.line)
            for problem in file.problems
        ]
        lines += document.count(b"\n")
        wanted = any(map(selection.wants, file.objects)) and not file.problems
        left_out = left_out or bool((file.objects and not wanted) or file.problems)
        if wanted:
            kept.append(document)
    if not kept:
        return b"", issues
    return b"".join(kept) if left_out else content, issues


def cut_documents(content: bytes) -> Iterator[bytes]:
    """``content`` in pieces of one document each, separators at their beginnings.

    All pieces together are the content. JSON objects one after another are documents, too.
    """
    start = 0
    for end in _ends_of_json(content):
        yield content[start:end]
        start = end
    for separator in _SEPARATOR.finditer(content, start):
        if separator.start() > start:
            yield content[start : separator.start()]
            start = separator.start()
    if start < len(content):
        yield content[start:]


def _ends_of_json(content: bytes) -> Iterator[int]:
    """Where each of the JSON objects at the beginning of ``content`` ends."""
    if not content.lstrip().startswith(b"{"):
        return
    try:
        text = content.decode()
        place = _skip_blanks(text, 0)
        while text[place : place + 1] == "{":
            _, end = json.JSONDecoder().raw_decode(text, place)
            place = _skip_blanks(text, end)
            yield len(text[:place].encode())
    except (ValueError, RecursionError):
        return


def _skip_blanks(text: str, place: int) -> int:
    return len(text) - len(text[place:].lstrip(_BLANKS))


def _is_credentials_request(item: ManifestObject) -> bool:
    version = item.value.get("apiVersion")
    return item.key.kind == _KIND and version == f"{_GROUP}/{_VERSION}"


def _provider_of(item: ManifestObject) -> str:
    """The kind of provider that a credentials request is for, "-" when it does not say."""
    found: Any = item.value
    for key in ("spec", "providerSpec", "kind"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else "-"


def _has_no_annotations(value: dict[str, Any]) -> bool:
    metadata = value.get("metadata")
    return not (isinstance(metadata, dict) and metadata.get("annotations"))


def _unreadable(name: str, message: str, line: int) -> Issue:
    issue = codes.INVALID_MANIFEST.issue(
        message,
        file=name,
        line=line,
        hint="what is in this document is not extracted; the cluster refuses the whole payload",
    )
    return msgspec.structs.replace(issue, severity=Severity.WARNING)
