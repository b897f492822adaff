# SPDX-License-Identifier: Apache-2.0
"""The two files about a release, read as the operator reads them.

It reads them with other rules than the tools that write them. ``release-metadata`` is strict
JSON whose keys may be written in any case; bad values in it only warn. ``image-references`` is
JSON or YAML, of which only kind and apiVersion may be written in any case: what else is not in
the right case is simply not there. Numbers are no text in either.
"""

from __future__ import annotations

import re
import types
import typing
from datetime import datetime
from typing import Any

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.imagestream import go_yaml
from okd_payload.imagestream.go_values import convert, fields_of
from okd_payload.imagestream.openshift import API_VERSION, DOCKER_IMAGE, KIND, RawImageStream
from okd_payload.release import labels
from okd_payload.release.cluster.refusal import UnusableMetadata
from okd_payload.release.go_json_text import parse_json
from okd_payload.release.go_text import format_value
from okd_payload.release.go_url import problem_of_url
from okd_payload.release.metadata import (
    ARCHITECTURE_KEY,
    METADATA_KIND,
    ReleaseMetadata,
)
from okd_payload.release.semver import Version, parse_version

MULTI = "Multi"
"""The architecture of a release whose images are for several."""
_CHANNELS_KEY = "io.openshift.upgrades.graph.release.channels"
_SCHEME = 'in scheme "lib/resourceread/resourceread.go:23"'
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_REGISTERED = {
    "v1": {"ConfigMap", "List", "Namespace", "Pod", "Secret", "Service", "ServiceAccount"},
    "apps/v1": {"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
    "batch/v1": {"CronJob", "Job"},
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition"},
    "rbac.authorization.k8s.io/v1": {
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
    },
    API_VERSION: {
        "Image",
        "ImageList",
        "ImageStreamImage",
        "ImageStreamImport",
        "ImageStreamList",
        "ImageStreamMapping",
        "ImageStreamTag",
        "ImageStreamTagList",
    },
}
"""Objects that the operator can read as well, and then finds to be no ImageStream."""


class ReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What ``release-metadata`` tells an operator."""

    metadata: ReleaseMetadata
    version: Version
    architecture: str = ""
    """``Multi``, or empty for the architecture of the machine."""
    url: str = ""
    channels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class ReleaseImages(msgspec.Struct, frozen=True, kw_only=True):
    """What ``image-references`` tells an operator."""

    stream: RawImageStream

    @property
    def name(self) -> str:
        """The version that it gives."""
        return self.stream.metadata.name

    @property
    def created(self) -> datetime | None:
        """When the release was made."""
        return self.stream.metadata.creation_timestamp

    @property
    def pull_specs(self) -> dict[str, str]:
        """The image of each tag that has one; of equal tags the last one counts."""
        return {
            tag.name: tag.origin.name
            for tag in self.stream.spec.tags
            if tag.origin and tag.origin.kind == DOCKER_IMAGE
        }


def read_facts(content: bytes) -> ReleaseFacts:
    """The facts in ``release-metadata``. Raises UnusableMetadata in the operator's words."""
    metadata = _parse_metadata(content)
    if metadata.kind != METADATA_KIND:
        raise UnusableMetadata(f"unrecognized Cincinnati metadata kind {quote(metadata.kind)}")
    if not metadata.version:
        raise UnusableMetadata("missing required Cincinnati metadata version")
    try:
        version = parse_version(metadata.version)
    except InputError as error:
        reason = error.message.partition(" is not a semantic version: ")[2]
        raise UnusableMetadata(
            f"invalid Cincinnati metadata version {quote(metadata.version)}: {reason}"
        ) from error
    problems: list[str] = []
    values = metadata.metadata
    facts = ReleaseFacts(
        metadata=metadata,
        version=version,
        url=_read_url(values, problems),
        architecture=_read_architecture(values, problems),
        channels=_read_channels(values, problems),
    )
    if not problems:
        return facts
    lines = "\n".join(problems)
    warning = f"errors while parsing metadata from {labels.RELEASE_METADATA} (): {lines}"
    return msgspec.structs.replace(facts, warnings=(warning,))


def read_images(content: bytes) -> ReleaseImages:
    """The images in ``image-references``. Raises UnusableMetadata in the operator's words."""
    try:
        value = _read_value(content)
        found = convert(value, _TypeMeta, path="")
    except InvalidDocument as error:
        problem = f"couldn't get version/kind; json parse error: {error.detail}"
        raise _unreadable(problem, line=error.line) from error
    if found.api_version.count("/") > 1:
        raise _unreadable(f"unexpected GroupVersion string: {found.api_version}")
    for name, text in (("Kind", found.kind), ("apiVersion", found.api_version)):
        if not text:
            shown = content.decode(errors="replace")
            raise _unreadable(f"Object '{name}' is missing in '{shown}'")
    if (found.kind, found.api_version) != (KIND, API_VERSION):
        if found.kind in _REGISTERED.get(found.api_version, ()):
            kind = f"*{found.api_version.rpartition('/')[2]}.{found.kind}"
            raise UnusableMetadata(f"{labels.IMAGE_REFERENCES} is a {kind}, not a v1 {KIND}")
        raise _unreadable(
            f"no kind {quote(found.kind)} is registered "
            f"for version {quote(found.api_version)} {_SCHEME}"
        )
    try:
        stream = convert(_keep_exact(value, RawImageStream), RawImageStream, path="")
        _check_object_meta(value.get("metadata") or {})
    except InvalidDocument as error:
        raise _unreadable(error.detail, line=error.line) from error
    return ReleaseImages(stream=stream)


class _Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """``release-metadata`` with Go's defaults, where nothing is what it should be."""

    kind: str = ""
    version: str = ""
    previous: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}


def _parse_metadata(content: bytes) -> ReleaseMetadata:
    try:
        found = convert(parse_json(content), _Metadata, path="")
    except InvalidDocument as error:
        raise UnusableMetadata(f"unmarshal Cincinnati metadata: {error.detail}") from error
    except ValueError as error:
        problem = f"unmarshal Cincinnati metadata: {error}"
        raise UnusableMetadata(problem, line=getattr(error, "lineno", 0)) from error
    return ReleaseMetadata(**msgspec.structs.asdict(found))


class _TypeMeta(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    kind: str = ""
    api_version: str = ""


class _ObjectMeta(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What else is in the metadata of objects and must be of its type, though nobody uses it."""

    generate_name: str = ""
    self_link: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()


def _unreadable(problem: str, *, line: int = 0) -> UnusableMetadata:
    return UnusableMetadata(f"unmarshal {labels.IMAGE_REFERENCES}: {problem}", line=line)


def _read_value(content: bytes) -> Any:
    """The first document; text that begins like JSON must be JSON, and nothing after it."""
    if content.lstrip().startswith(b"{"):
        try:
            return parse_json(content)
        except ValueError as error:
            line = getattr(error, "lineno", 0)
            raise InvalidDocument(str(error), path="", line=line) from error
    value = go_yaml.parse(content, path="")
    return {} if value is None else value


def _check_object_meta(metadata: dict[str, Any]) -> None:
    """Raises InvalidDocument for what Go cannot decode, but would not use either."""
    convert(_keep_exact(metadata, _ObjectMeta), _ObjectMeta, path="")
    created = metadata.get("creationTimestamp")
    if created is not None and not _MOMENT.fullmatch(created):
        raise InvalidDocument(f"parsing time {quote(created)}", path="")


def _keep_exact(value: Any, kind: Any) -> Any:
    """``value`` without the keys that are not written as the fields of ``kind`` are."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _keep_exact(value, arguments[0])
    if origin is tuple and isinstance(value, list):
        return [_keep_exact(item, arguments[0]) for item in value]
    if origin is not None or not issubclass(kind, msgspec.Struct) or not isinstance(value, dict):
        return value
    kinds = {field.key: field.kind for field in fields_of(kind)}
    return {key: _keep_exact(item, kinds[key]) for key, item in value.items() if key in kinds}


def _read_url(values: dict[str, Any], problems: list[str]) -> str:
    if "url" not in values:
        return ""
    url = values["url"]
    if not isinstance(url, str):
        problems.append(f"URL is not a string: {format_value(url)}")
        return ""
    problem = problem_of_url(url)
    if problem:
        problems.append(f"invalid release URL: {problem}")
        return ""
    return url


def _read_architecture(values: dict[str, Any], problems: list[str]) -> str:
    if ARCHITECTURE_KEY not in values:
        return ""
    architecture = values[ARCHITECTURE_KEY]
    if not isinstance(architecture, str):
        problems.append(f"{ARCHITECTURE_KEY} is not a string: {format_value(architecture)}")
    elif architecture != "multi":
        problems.append(f"unrecognized {ARCHITECTURE_KEY} value {quote(architecture)}")
    else:
        return MULTI
    return ""


def _read_channels(values: dict[str, Any], problems: list[str]) -> tuple[str, ...]:
    if _CHANNELS_KEY not in values:
        return ()
    text = values[_CHANNELS_KEY]
    if not isinstance(text, str):
        problems.append(f"{_CHANNELS_KEY} is not a string: {format_value(text)}")
        return ()
    if not text:
        problems.append(f"{_CHANNELS_KEY} is an empty string")
        return ()
    parts = text.split(",")
    problems += [
        f"{_CHANNELS_KEY} entry {place} is an empty string: {quote(text)}"
        for place in range(len(parts) - 1, -1, -1)
        if not parts[place]
    ]
    channels = tuple(sorted(filter(None, parts), key=str.encode))
    if not channels:
        problems.append(f"no non-empty channels in {_CHANNELS_KEY} []")
    return channels
