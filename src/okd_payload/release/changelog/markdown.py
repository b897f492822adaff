# SPDX-License-Identifier: Apache-2.0
"""A changelog as Markdown, in the order of ``oc adm release info --changelog``.

Titles of changes are foreign text: what Markdown would take for markup is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from okd_payload.release.changelog.forges import Forge, find_forge
from okd_payload.release.changelog.model import (
    Change,
    Changelog,
    GateTable,
    NamedImage,
    UpdatedSource,
    VersionChange,
)
from okd_payload.release.changelog.sentences import describe_version, remarks_about
from okd_payload.release.changelog.trackers import address_of
from okd_payload.release.times import format_time

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#])")
_SHOWN_COMMIT = 8


def write_markdown(changelog: Changelog) -> str:
    """The whole page, with a newline at its end."""
    sections = [
        _write_head(changelog),
        _write_versions(changelog.versions),
        _write_gates(changelog.gates),
        _write_images("New images", changelog.added),
        _write_names("Removed images", changelog.removed),
        _write_images("Rebuilt images without code change", changelog.rebuilt),
        *map(_write_source, changelog.updated),
    ]
    return "\n".join("".join(f"{line}\n" for line in lines) for lines in sections if lines)


def _write_head(changelog: Changelog) -> list[str]:
    head = changelog.after
    lines = [f"# {head.name}"]
    if head.created:
        lines += ["", f"Created: {format_time(head.created)}"]
    if head.digest:
        lines += ["", f"Image Digest: `{head.digest}`"]
    if head.promoted_from:
        lines += ["", f"Promoted from {_escape(head.promoted_from)}"]
    return [*lines, "", f"## Changes from {changelog.before.name}"]


def _write_versions(versions: Sequence[VersionChange]) -> list[str]:
    if not versions:
        return []
    return ["### Components", "", *(f"* {_escape(describe_version(item))}" for item in versions)]


def _write_gates(table: GateTable) -> list[str]:
    if not table.gates:
        return []
    rows = [("FeatureGate", *table.columns), *((gate.name, *gate.states) for gate in table.gates)]
    lines = [f"| {' | '.join(_escape(cell) for cell in row)} |" for row in rows]
    rule = f"|{' --- |' * len(rows[0])}"
    return ["### FeatureGate Changes", "", lines[0], rule, *lines[1:]]


def _write_images(title: str, images: Sequence[NamedImage]) -> list[str]:
    return [f"### {title}", "", *(f"* {_link_image(image)}" for image in images)] if images else []


def _write_names(title: str, images: Sequence[NamedImage]) -> list[str]:
    return [f"### {title}", "", *(f"* {image.name}" for image in images)] if images else []


def _link_image(image: NamedImage) -> str:
    forge = find_forge(image.location)
    parts = [_link(image.name, forge.address if forge else "")]
    if image.commit:
        shown = image.commit[:_SHOWN_COMMIT]
        parts.append(f"git {_link(shown, forge.commit(image.commit) if forge else '')}")
    if image.digest:
        parts.append(f"`{image.digest}`")
    return " ".join(parts)


def _write_source(updated: UpdatedSource) -> list[str]:
    source = updated.source
    forge = find_forge(source.location)
    names = ", ".join(source.images)
    lines = [f"### {_link(names, forge.tree(source.after) if forge else '')}", ""]
    lines += [f"* {_write_change(change, forge)}" for change in updated.changes]
    lines += [f"* {_escape(remark)}" for remark in remarks_about(updated)]
    if forge:
        compared = forge.comparison(source.before, source.after)
        return [*lines, f"* [Full changelog]({compared})"]
    place = f" of {_escape(source.location)}" if source.location else ""
    return [*lines, f"* From {source.before} to {source.after}{place}"]


def _write_change(change: Change, forge: Forge | None) -> str:
    number = _link(f"#{change.request}", forge.request(change.request) if forge else "")
    subject = f"{_escape(change.subject)} {number}"
    tickets = ", ".join(_link(ticket.key, address_of(ticket)) for ticket in change.tickets)
    return f"{tickets}: {subject}" if tickets else subject


def _link(text: str, address: str) -> str:
    return f"[{_escape(text)}]({address})" if address else _escape(text)


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text.replace("\n", " "))
