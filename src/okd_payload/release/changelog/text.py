# SPDX-License-Identifier: Apache-2.0
"""A changelog as plain text, for terminals and mails: one line a change, nothing to click."""

from __future__ import annotations

from okd_payload.release.changelog.model import Change, Changelog, GateTable, UpdatedSource
from okd_payload.release.changelog.sentences import describe_version, remarks_about
from okd_payload.release.go_text import align
from okd_payload.release.times import format_time


def write_text(changelog: Changelog) -> str:
    """The whole text, with a newline at its end."""
    before, after = changelog.before, changelog.after
    created = f", created {format_time(after.created)}" if after.created else ""
    sections = [
        [f"{after.name}{created}", f"changes from {before.name}"],
        _title("components", [describe_version(item) for item in changelog.versions]),
        _write_gates(changelog.gates),
        _title("new images", [image.name for image in changelog.added]),
        _title("removed images", [image.name for image in changelog.removed]),
        _title("rebuilt without code change", [image.name for image in changelog.rebuilt]),
        *(_title(", ".join(item.source.images), _write_source(item)) for item in changelog.updated),
    ]
    return "\n".join("".join(f"{line}\n" for line in lines) for lines in sections if lines)


def _write_source(updated: UpdatedSource) -> list[str]:
    source = updated.source
    where = f"{source.location} {source.before[:10]}..{source.after[:10]}"
    return [where, *map(_write_change, updated.changes), *remarks_about(updated)]


def _write_change(change: Change) -> str:
    tickets = ", ".join(ticket.key for ticket in change.tickets)
    return f"#{change.request} {f'{tickets}: ' if tickets else ''}{change.subject}"


def _write_gates(table: GateTable) -> list[str]:
    if not table.gates:
        return []
    rows = [("", *table.columns), *((gate.name, *gate.states) for gate in table.gates)]
    lines = align(["\t".join(row) for row in rows], padding=2).splitlines()
    return _title("feature gates", [line.rstrip() for line in lines])


def _title(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines)] if lines else []
