# SPDX-License-Identifier: Apache-2.0
"""The Markdown that messages of streams may have: paragraphs, lists, emphasis, code and links.

A message is written by the owner of a stream and shown to everybody. Whatever is not in this
list stays the text that it is, markup of HTML included; links lead to the web only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from okd_payload.web.pages.words import clean, web_link

_LONGEST = 8000
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<strong>[^*\n]+)\*\*"
    r"|(?<![\w*])[*_](?P<emphasis>[^*_\n]+)[*_](?![\w*])"
    r"|\[(?P<text>[^\]\n]+)\]\((?P<target>[^()\s]+)\)"
    r"|(?P<address>https?://[^\s<>\"')]+[^\s<>\"').,;:])"
)
_ITEM = re.compile(r"\s*[-*]\s+(.*)")


def render_markdown(text: str) -> Markup:
    """``text`` as HTML."""
    blocks = re.split(r"\n\s*\n", clean(text, _LONGEST).strip())
    return Markup("\n").join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> Markup:
    lines = block.splitlines()
    items = [_ITEM.fullmatch(line) for line in lines]
    if all(items):
        made = Markup("").join(
            Markup("<li>{}</li>").format(_inline(item[1])) for item in items if item
        )
        return Markup("<ul>{}</ul>").format(made)
    return Markup("<p>{}</p>").format(_inline(" ".join(line.strip() for line in lines)))


def _inline(text: str) -> Markup:
    return Markup("").join(_pieces(text))


def _pieces(text: str) -> Iterator[Markup]:
    end = 0
    for found in _INLINE.finditer(text):
        yield escape(text[end : found.start()])
        yield _mark(found)
        end = found.end()
    yield escape(text[end:])


def _mark(found: re.Match[str]) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(found["strong"])
    if found["emphasis"]:
        return Markup("<em>{}</em>").format(found["emphasis"])
    target = web_link(found["target"] or found["address"])
    if not target:
        return escape(found[0])
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(target, found["text"] or target)
