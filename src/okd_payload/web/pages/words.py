# SPDX-License-Identifier: Apache-2.0
"""Values in words: moments, durations, digests, and whatever else templates write.

Moments are told relative to now, with the full time in UTC beside them. Links lead only to the
web: an address of another kind is shown, not followed.
"""

from __future__ import annotations

import re
import time
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from okd_payload.build.log_text import clean_text
from okd_payload.release.changelog.forges import find_forge

_UNITS = ((86400.0, "day"), (3600.0, "h"), (60.0, "min"))
_DIRECTIONS = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that let a text look like another one."""
_SHORT_DIGEST = 12
_SHORT_COMMIT = 10
LONGEST_TEXT = 20_000


def tell_span(seconds: float) -> str:
    """``seconds`` as one rough number: 40 s, 12 min, 3 h, 5 days."""
    seconds = max(0.0, seconds)
    for length, unit in _UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{int(seconds)} s"


def tell_duration(seconds: float) -> str:
    """``seconds`` as a duration: under 1 s, 48 s, 3 min 05 s, 1 h 02 min, 2 d 4 h."""
    whole = max(0, round(seconds))
    if not whole and seconds > 0:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def tell_size(size: int) -> str:
    """``size`` in bytes as people compare it: 812 B, 40 KiB, 87.4 MiB."""
    if size < 1024:
        return f"{size} B"
    if size < 1 << 20:
        return f"{size / 1024:.0f} KiB"
    return f"{size / (1 << 20):.1f} MiB"


def tell_moment(moment: float) -> str:
    """``moment`` in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def tell_age(moment: float, now: float) -> str:
    """``moment`` relative to ``now``."""
    if abs(now - moment) < 45:
        return "just now"
    return f"{tell_span(now - moment)} ago" if moment < now else f"in {tell_span(moment - now)}"


def tell_instant(moment: float) -> str:
    """``moment`` for machines."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def mark_moment(moment: float | None, now: float) -> Markup:
    """``moment`` relative to ``now``, the full time in its title; the script keeps it true."""
    if moment is None:
        return Markup('<span class="mute">never</span>')
    told = f'datetime="{tell_instant(moment)}" title="{tell_moment(moment)}"'
    return Markup(f"<time {told}>{tell_age(moment, now)}</time>")  # noqa: S704 - numbers and ours


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """``text`` without anything that steers terminals or turns writing round, and bounded."""
    cut = text[: longest + 1]
    shown = _DIRECTIONS.sub("\N{REPLACEMENT CHARACTER}", clean_text(cut))
    return shown if len(text) <= longest else f"{shown[:longest]}\N{HORIZONTAL ELLIPSIS}"


def web_link(address: str) -> str:
    """``address`` when it leads to the web, else nothing."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


def path_part(name: str) -> str:
    """``name`` as one part of the path of an address."""
    return quote(name, safe="~:@+,")


def short_digest(digest: str | None) -> str:
    """The beginning of a digest: enough to tell images of a page apart."""
    return (digest or "").removeprefix("sha256:")[:_SHORT_DIGEST]


def short_commit(commit: str) -> str:
    """The beginning of a commit."""
    return commit[:_SHORT_COMMIT]


def commit_link(source: str, commit: str) -> str:
    """Where people read the commit, empty where nobody knows."""
    forge = find_forge(source) if commit else None
    return web_link(forge.commit(commit)) if forge is not None else ""


def comparison_link(source: str, before: str, after: str) -> str:
    """Where people read what lies between two commits, empty where nobody knows."""
    forge = find_forge(source) if before and after else None
    return web_link(forge.comparison(before, after)) if forge is not None else ""


def short_source(source: str) -> str:
    """A source repository without what all of them have in common."""
    return re.sub(r"^(?:https?://|git@)", "", source).removesuffix(".git")
