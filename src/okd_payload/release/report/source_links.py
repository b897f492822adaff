# SPDX-License-Identifier: Apache-2.0
"""Where people see the source of an image, in the words of ``oc adm release info``.

Only GitHub is linked; of other places the location and the commits are shown. Scripts cut these
lines up, so locations stay as the images spell them, but for GitHub's over SSH, of which ``oc``
makes links that lead nowhere. ``changelog.forges`` has the links that are made for reading.
"""

from __future__ import annotations

import posixpath
import re

from okd_payload.imagestream.openshift import TagReference
from okd_payload.release import labels

_GITHUB = "https://github.com/"
_GITHUB_OVER_SSH = re.compile(r"git@github\.com:(.+?)(?:\.git)?")
_UNKNOWN = "<unknown>"


def source_of(tag: TagReference) -> tuple[str, str]:
    """The location and the commit that the image of ``tag`` was built from; empty when unsaid."""
    said = tag.annotations or {}
    return said.get(labels.SOURCE, ""), said.get(labels.COMMIT_ID, "")


def link_commit(tag: TagReference) -> str:
    """The commit of one image."""
    location, commit = source_of(tag)
    location = _over_https(location)
    return f"{location}/commit/{commit}" if location.startswith(_GITHUB) else f"{location} {commit}"


def link_new_commit(tag: TagReference) -> str:
    """The commit of an image that is new, beside those of ``link_change``."""
    return _link(*source_of(tag)) if all(source_of(tag)) else _UNKNOWN


def link_change(before: TagReference, after: TagReference) -> str:
    """What lies between the commits of two images of one name."""
    (old_place, old), (new_place, new) = source_of(before), source_of(after)
    if not (new_place and new):
        return _UNKNOWN
    if old_place == new_place:
        return _link(new_place, new) if old == new else _link_range(new_place, old, new)
    if not old:
        return f"{old_place} {_UNKNOWN} -> {_link(new_place, new)}"
    first = old_place if old == new else _link(old_place, old)
    return f"{first} -> {_link(new_place, new)}"


def _link(location: str, commit: str) -> str:
    return _below(location, f"commit/{commit}") or f"{location} {commit}"


def _link_range(location: str, before: str, after: str) -> str:
    return _below(location, f"compare/{before}...{after}") or f"{location} {before} {after}"


def _below(location: str, path: str) -> str:
    """The address of ``path`` in a repository of GitHub, empty for others."""
    location = _over_https(location)
    if not location.startswith(_GITHUB):
        return ""
    return _GITHUB + posixpath.normpath(f"{location.removeprefix(_GITHUB)}/{path}").lstrip("/")


def _over_https(location: str) -> str:
    over_ssh = _GITHUB_OVER_SSH.fullmatch(location)
    return _GITHUB + over_ssh[1] if over_ssh else location
