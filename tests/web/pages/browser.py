# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, driven by playwright, and what is looked for on every page."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from typing import Any

CHROMIUM = shutil.which("chromium")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

_REFUSED = ("404 (Not Found)", "401 (Unauthorized)", "400 (Bad Request)")
"""How the browser tells of pages that say that something is not there, or not done."""

FIND_FAULTS = """() => {
  const faults = [];
  const named = (each) => (each.getAttribute('aria-label') || each.textContent || '').trim();
  if (!document.title.trim()) faults.push('no title');
  if (document.documentElement.lang !== 'en') faults.push('no language');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) faults.push(`h${own} after h${level}: ${named(heading)}`);
    level = own;
  }
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => faults.push(`twice: ${id}`));
  for (const each of document.querySelectorAll('a[href], button, summary')) {
    if (!named(each)) faults.push(`nameless ${each.outerHTML.slice(0, 120)}`);
  }
  for (const each of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    const told = each.labels.length || each.getAttribute('aria-label');
    if (!told) faults.push(`no label: ${each.name}`);
  }
  for (const each of document.querySelectorAll('img')) {
    if (!each.hasAttribute('alt')) faults.push('a picture without alt');
  }
  for (const each of document.querySelectorAll('svg')) {
    const role = each.querySelector('a, [tabindex]') ? 'group' : 'img';  // nobody looks into images
    if (each.getAttribute('role') !== role) faults.push(`svg that is no ${role}`);
    if (!each.getAttribute('aria-label')) faults.push('svg without a name');
  }
  for (const each of document.querySelectorAll('svg text')) {
    const picture = each.ownerSVGElement;
    const [box, frame] = [each.getBoundingClientRect(), picture.getBoundingClientRect()];
    const isInside = box.top > frame.top - 1 && box.bottom < frame.bottom + 1;
    const isWhole = isInside || getComputedStyle(picture).overflow === 'visible';
    if (!isWhole) faults.push(`cut off: ${named(each)}`);
  }
  for (const each of document.querySelectorAll('svg a')) {
    if (each.firstElementChild.tagName !== 'title') faults.push('a link of an svg without a title');
  }
  for (const kind of ['body > header', 'body > footer', 'nav[aria-label]', '[role=search]']) {
    if (document.querySelectorAll(kind).length !== 1) faults.push(`not one ${kind}`);
  }
  if (document.querySelector('th[scope=row]:not(:first-child)')) faults.push('a late heading');
  for (const each of document.querySelectorAll('[aria-labelledby]')) {
    const label = each.getAttribute('aria-labelledby');
    if (!document.getElementById(label)) faults.push(`no such label: ${label}`);
  }
  if (document.querySelector('th:not([scope])')) faults.push('th without scope');
  for (const each of document.querySelectorAll('[style], style, script:not([src])')) {
    faults.push(`inline: ${each.outerHTML.slice(0, 80)}`);
  }
  return faults;
}"""

_MEASURING = """
  const shade = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (each) => {
    for (let up = each; up; up = up.parentElement) {
      const found = shade(getComputedStyle(up).backgroundColor);
      if (found.a === 1) return found.rgb;
    }
    return [255, 255, 255];
  };
  const contrast = (colour, other) => {
    const [one, two] = [light(colour), light(other)];
    return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  };
"""
"""What measures how colours stand out from each other, as WCAG 2.2 has it."""

FIND_PALE = (
    "() => {"
    + _MEASURING
    + """
  const pale = new Set();
  const behind = (each) => {  // the box of a picture, in which its text stands
    const box = each.closest('svg g')?.querySelector('rect');
    const fill = box ? getComputedStyle(box).fill : 'none';
    return fill === 'none' ? ground(each) : shade(fill).rgb;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const each = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || each.closest('script, title')) continue;
    const style = getComputedStyle(each), drawn = each.closest('svg');
    const found = contrast(shade(drawn ? style.fill : style.color).rgb, behind(each));
    const words = each.textContent.trim().slice(0, 40);
    if (found < 4.5) pale.add(`${found.toFixed(1)} ${each.tagName} ${each.className}: ${words}`);
  }
  const lines = [
    ['svg path:not(.axis), svg polyline, svg a rect', 'stroke'], ['svg circle', 'fill'],
    ['input:not([type=checkbox]), select, button:not(.plain)', 'borderTopColor'],
  ];
  for (const [selector, part] of lines) {
    for (const each of document.querySelectorAll(selector)) {
      const found = contrast(shade(getComputedStyle(each)[part]).rgb, ground(each.parentElement));
      if (found < 3) pale.add(`${found.toFixed(1)} line of ${each.tagName} ${each.classList}`);
    }
  }
  return [...pale];
}"""
)
"""Texts and lines that do not stand out enough."""

FIND_UNSEEN = (
    "() => {"
    + _MEASURING
    + """
  const unseen = new Set(), known = new Set();
  const stops = 'a[href], button, input, select, summary, [tabindex="0"]';
  for (const each of document.querySelectorAll(stops)) {
    const kind = `${each.tagName} ${each.getAttribute('class')} ${each.parentElement.className}`;
    if (known.has(kind) || !each.getClientRects().length) continue;
    known.add(kind);
    each.focus();
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    const found = contrast(shade(style.outlineColor).rgb, ground(each.parentElement));
    const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    if (document.activeElement !== each || !isSeen || found < 3 || box.width < 1) unseen.add(kind);
  }
  return [...unseen];
}"""
)
"""Kinds of stops of the keyboard on which nobody sees that they are there."""


@contextlib.asynccontextmanager
async def open_browser() -> AsyncIterator[Any]:
    """A browser without a window, until the end of the block."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


def listen_for_trouble(page: Any) -> list[str]:
    """What the page complains of from now on: errors, refused loads, dialogs."""
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on(
        "console",
        lambda told: (
            trouble.append(f"{told.type}: {told.text}")
            if told.type in ("error", "warning") and not told.text.endswith(_REFUSED)
            else None
        ),
    )
    page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
    return trouble
