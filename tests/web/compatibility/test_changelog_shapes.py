# SPDX-License-Identifier: Apache-2.0
"""Changelogs in JSON have the fields that scripts know, and only those that say something."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from okd_payload.release.changelog.model import (
    Change,
    Changelog,
    Head,
    NamedImage,
    SourceChange,
    UpdatedSource,
)
from okd_payload.web.compatibility.changelog_shapes import no_changelog, show_changelog

FORGE = "https://github.com/okd/etcd"
COMMIT = "a" * 40


def shown(**parts: Any) -> dict[str, Any]:
    """A changelog with ``parts``, as it is sent."""
    moment = dt.datetime(2026, 3, 1, 2, 3, 4, tzinfo=dt.UTC)
    heads = {"before": Head(name="a", created=moment), "after": Head(name="b", created=moment)}
    made = show_changelog(Changelog(**(heads | parts)))
    return msgspec.json.decode(msgspec.json.encode(made), type=dict)


def test_nothing_changed_is_two_heads() -> None:
    """Of zeros, where nothing was compared; whoever was promoted says from what."""
    never = {"name": "", "created": "0001-01-01T00:00:00Z", "digest": ""}
    assert msgspec.json.decode(msgspec.json.encode(no_changelog())) == {"from": never, "to": never}
    head = {"name": "a", "created": "2026-03-01T02:03:04Z", "digest": ""}
    assert shown(after=Head(name="c", promoted_from="q/r:1")) == {
        "from": head,
        "to": never | {"name": "c", "promotedFrom": "q/r:1"},
    }


def test_a_change_is_told_by_its_request() -> None:
    """Of all images that its repository has become, under one head."""
    source = SourceChange(images=("etcd", "cli"), location=FORGE, before="0" * 40, after="1" * 40)
    merged = Change(commit=COMMIT, time=1, subject="merged", request=7)
    (image,) = shown(updated=(UpdatedSource(source=source, changes=(merged,)),))["updatedImages"]
    assert image["name"] == "etcd, cli"
    assert image["commits"] == [{"subject": "merged", "pullID": 7, "pullURL": f"{FORGE}/pull/7"}]


def test_images_have_what_is_known_of_them() -> None:
    """A path always stands there; of what is gone there is no more than the name."""
    known = NamedImage(name="etcd", location=FORGE, commit=COMMIT, digest="sha256:1")
    bare = NamedImage(name="odd", digest="sha256:2")
    found = shown(added=(known, bare), removed=(known,), rebuilt=(bare,))
    assert found["newImages"] == [
        {
            "name": "etcd",
            "path": FORGE,
            "shortCommit": "a" * 8,
            "commit": COMMIT,
            "imageRef": "sha256:1",
        },
        {"name": "odd", "path": "", "imageRef": "sha256:2"},
    ]
    assert found["removedImages"] == [{"name": "etcd", "path": ""}]
    assert found["rebuiltImages"] == [{"name": "odd", "path": "", "imageRef": "sha256:2"}]
