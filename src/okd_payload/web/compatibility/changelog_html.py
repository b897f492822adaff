# SPDX-License-Identifier: Apache-2.0
"""A changelog as HTML: every foreign word escaped, and links that lead to the web only."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable
from urllib.parse import quote

from okd_payload.release.changelog.forges import find_forge
from okd_payload.release.changelog.model import Change, Changelog, NamedImage, UpdatedSource
from okd_payload.release.changelog.sentences import remarks_about
from okd_payload.release.changelog.trackers import address_of
from okd_payload.release.times import format_time
from okd_payload.web.compatibility.changelog_markdown import name_of, tell_version
from okd_payload.web.pages.assets import PREFIX, read_assets

_SHOWN_COMMIT = 8


def write_html(changelog: Changelog) -> str:
    """What stands below the title of a release."""
    before, after = changelog.before, changelog.after
    parts = [f"<h2>Changes from {_link(before.name, f'/releasetag/{quote(before.name)}')}</h2>"]
    if after.created:
        parts.append(f"<p>Created: {_text(format_time(after.created))}</p>")
    if after.digest:
        parts.append(f"<p>Image Digest: <code>{_text(after.digest)}</code></p>")
    if after.promoted_from:
        parts.append(f"<p>Promoted from {_text(after.promoted_from)}</p>")
    parts += _list("Components", (_text(tell_version(each)) for each in changelog.versions))
    parts += _list("New images", map(_image, changelog.added))
    parts += _list("Removed images", (_text(each.name) for each in changelog.removed))
    parts += _list("Rebuilt images without code change", map(_image, changelog.rebuilt))
    for updated in changelog.updated:
        parts += _source(updated)
    return "\n\n".join(parts) + "\n"


def write_page(changelog: Changelog) -> str:
    """A whole page, in the style of the others."""
    name, back = _text(changelog.after.name), f"/releasetag/{quote(changelog.after.name)}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="{_style()}">'
        f"<title>Changes in {name}</title></head>\n<body>\n<main>\n"
        f'<p class="crumbs">{_link("Back to the release", back)}</p>\n<h1>{name}</h1>\n'
        f"{write_html(changelog)}</main>\n</body>\n</html>\n"
    )


@functools.cache
def _style() -> str:
    return PREFIX + read_assets()["style.css"].name


def _list(title: str, items: Iterable[str], *, is_markup: bool = False) -> list[str]:
    lines = "".join(f"<li>{item}</li>\n" for item in items)
    heading = title if is_markup else _text(title)
    return [f"<h3>{heading}</h3>", f"<ul>\n{lines}</ul>"] if lines else []


def _image(image: NamedImage) -> str:
    forge = find_forge(image.location)
    parts = [_link(image.name, forge.address if forge else "")]
    if image.commit:
        address = forge.commit(image.commit) if forge else ""
        parts.append(f"git {_link(image.commit[:_SHOWN_COMMIT], address)}")
    if image.digest:
        parts.append(f"<code>{_text(image.digest)}</code>")
    return " ".join(parts)


def _source(updated: UpdatedSource) -> list[str]:
    source = updated.source
    forge = find_forge(source.location)
    title = _link(", ".join(source.images), forge.tree(source.after) if forge else "")
    items = [
        _change(each, forge.request(each.request) if forge else "") for each in updated.changes
    ]
    items += [_text(remark) for remark in remarks_about(updated)]
    if forge:
        items.append(_link("Full changelog", forge.comparison(source.before, source.after)))
    return _list(title, items, is_markup=True)


def _change(change: Change, address: str) -> str:
    words = _text(change.subject)
    if change.request:
        words += f" {_link(f'#{change.request}', address)}"
    tickets = ", ".join(_link(name_of(each), address_of(each)) for each in change.tickets)
    return f"{tickets}: {words}" if tickets else words


def _link(text: str, address: str) -> str:
    if not address.startswith(("https://", "http://", "/")):
        return _text(text)
    return f'<a href="{html.escape(address)}">{_text(text)}</a>'


def _text(text: str) -> str:
    return html.escape(text)
