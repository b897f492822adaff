# SPDX-License-Identifier: Apache-2.0
"""Releases as the old interface shows them, and in its order: by version, the newest first."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Protocol, TypeVar

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.model import Release
from okd_payload.release.semver import Version, is_version, parse_version
from okd_payload.web.compatibility.answers import Answer, Refusal, send_json, send_line
from okd_payload.web.site import Site

_LEAST = Version(0, 0, 0)
_UNKNOWN_FORMAT = "error: Must specify one of '', 'json', 'pullSpec', 'name', or 'downloadURL"


class ShownTag(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A release in a list."""

    name: str
    phase: str
    pull_spec: str
    download_url: str = msgspec.field(name="downloadURL")


def show(release: Release, site: Site) -> ShownTag:
    """``release`` as lists have it."""
    return ShownTag(
        name=release.name,
        phase=release.phase.value,
        pull_spec=release.pull_spec,
        download_url=download_address(release, site),
    )


def download_address(release: Release, site: Site) -> str:
    """Where the client tools of ``release`` are; empty where nobody serves any."""
    host = site.settings.artifacts
    return f"https://{host}/{release.name}" if host else ""


def check_format(form: str) -> None:
    """Refuse a format that lists do not have. Raises Refusal."""
    if form not in ("", "json"):
        raise Refusal(400, _UNKNOWN_FORMAT)


def send_tag(tag: ShownTag, form: str) -> Answer:
    """``tag`` as a whole, or the one field that ``form`` names. Raises Refusal."""
    if form in ("", "json"):
        return send_json(tag)
    fields = {"pullSpec": tag.pull_spec, "name": tag.name, "downloadURL": tag.download_url}
    if form not in fields:
        raise Refusal(400, _UNKNOWN_FORMAT)
    return send_line(fields[form])


class Named(Protocol):
    """Whatever has a name and an age."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def created(self) -> float:
        """When it was made."""
        ...


Item = TypeVar("Item", bound=Named)


@functools.lru_cache(maxsize=1 << 16)
def version_of(name: str) -> Version | None:
    """The version that ``name`` is, or None."""
    return parse_version(name) if is_version(name) else None


def by_version(releases: Iterable[Item]) -> list[Item]:
    """``releases`` by version, the newest first; names that are no version come last."""
    return sorted(releases, key=lambda each: _order(each.name), reverse=True)


def in_order(releases: Iterable[Item], configuration: StreamConfiguration) -> list[Item]:
    """``releases`` of one stream: of stable ones by version, of others by time; newest first."""
    if configuration.kind is StreamKind.STABLE:
        return by_version(releases)
    return sorted(releases, key=lambda each: (each.created, each.name), reverse=True)


@functools.lru_cache(maxsize=1 << 16)
def _order(name: str) -> tuple[object, ...]:
    version = version_of(name)
    return (version is not None, (version or _LEAST).precedence(), name)
