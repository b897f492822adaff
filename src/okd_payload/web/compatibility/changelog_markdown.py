# SPDX-License-Identifier: Apache-2.0
"""A changelog as Markdown, line for line as scripts know it from the old controller.

Titles of changes are foreign text: markup of HTML in them is escaped, as there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from okd_payload.release.changelog.forges import find_forge
from okd_payload.release.changelog.model import (
    Change,
    Changelog,
    NamedImage,
    Ticket,
    UpdatedSource,
    VersionChange,
)
from okd_payload.release.changelog.sentences import remarks_about
from okd_payload.release.changelog.trackers import address_of

_SHOWN_COMMIT = 8
_BRACKETS = re.compile(r"([\[\]])")


def write_old_markdown(changelog: Changelog) -> str:
    """The whole page."""
    before, after = changelog.before, changelog.after
    text = f"# {after.name}\n\n"
    if after.created:
        moment = after.created.astimezone(dt.UTC)
        text += f"Created: {moment:%Y-%m-%d %H:%M:%S} +0000 UTC\n\n"
    if after.digest:
        text += f"Image Digest: `{after.digest}`\n\n"
    if after.promoted_from:
        text += f"Promoted from {_escape(after.promoted_from)}\n\n"
    text += f"\n## Changes from {before.name}\n\n"
    text += _list("Components", (f"* {_escape(tell_version(each))}" for each in changelog.versions))
    text += _list("New images", (f"* {_image(each)}" for each in changelog.added))
    text += _list("Removed images", (f"* {_escape(each.name)}" for each in changelog.removed))
    rebuilt = (f"* {_image(each)}" for each in changelog.rebuilt)
    text += _list("Rebuilt images without code change", rebuilt)
    return text + "".join(map(_source, changelog.updated)) + "\n"


def tell_version(change: VersionChange) -> str:
    """One line about a component."""
    if not change.after:
        return f"{change.name} {change.before} is no longer reported"
    if not change.before:
        return f"{change.name} {change.after}"
    return f"{change.name} upgraded from {change.before} to {change.after}"


def name_of(ticket: Ticket) -> str:
    """How people call a ticket."""
    return f"Bug {ticket.key}" if ticket.is_bugzilla else ticket.key


def _list(title: str, lines: Iterable[str]) -> str:
    listed = "".join(f"{line}\n" for line in lines)
    return f"### {title}\n\n{listed}\n\n" if listed else ""


def _image(image: NamedImage) -> str:
    forge = find_forge(image.location)
    parts = [_link(image.name, forge.address if forge else "")]
    if image.commit:
        shown = image.commit[:_SHOWN_COMMIT]
        parts.append(f"git {_link(shown, forge.commit(image.commit) if forge else '')}")
    if image.digest:
        parts.append(f"`{image.digest}`")
    return " ".join(parts)


def _source(updated: UpdatedSource) -> str:
    source = updated.source
    forge = find_forge(source.location)
    lines = [
        f"* {_change(each, forge.request(each.request) if forge else '')}"
        for each in updated.changes
    ]
    lines += [f"* {_escape(remark)}" for remark in remarks_about(updated)]
    if forge:
        lines.append(f"* [Full changelog]({forge.comparison(source.before, source.after)})")
    names = ", ".join(source.images)
    return _list(_link(names, forge.tree(source.after) if forge else ""), lines)


def _change(change: Change, address: str) -> str:
    words = _escape(change.subject)
    if change.request:
        words += f" {_link(f'#{change.request}', address)}"
    tickets = ", ".join(_link(name_of(each), address_of(each)) for each in change.tickets)
    return f"{tickets}: {words}" if tickets else words


def _link(text: str, address: str) -> str:
    bracketed = _BRACKETS.sub(r"\\\1", text)
    return f"[{bracketed}]({address})" if address else _escape(text)


def _escape(text: str) -> str:
    return text.replace("\n", " ").replace("<", "&lt;").replace(">", "&gt;")
