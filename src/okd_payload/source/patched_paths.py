# SPDX-License-Identifier: Apache-2.0
"""Which files patches may touch, so that their contents can be had before git asks for them.

Git says so for no patch as a whole: ``git apply --numstat`` leaves out where a renamed file came
from. So the heads of files are read as git reads them (git-diff(1), "Generating patch text"):
names in quotes with C's escapes, one prefix of any kind before each, and nothing but the head of
a binary patch or of a change of mode. Where a head can be read in several ways all of them count;
whoever asks knows which files there are. Patches are not checked: that is git's business.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from okd_payload.source.alteration import Patch

_HEAD = re.compile(
    rb"^(?:diff --git|---|\+\+\+|(?:rename|copy) from) (.+?)(?:\t[^\t]*)?\r?$", re.MULTILINE
)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))


def named_paths(patches: Iterable[Patch]) -> set[str]:
    """Every path that the heads of ``patches`` may mean, old names included."""
    return {
        os.fsdecode(path)
        for patch in patches
        for head in _HEAD.findall(patch.content)
        for name in _names(head)
        for path in (name, name.partition(b"/")[2])
        if path
    }


def _names(head: bytes) -> Iterator[bytes]:
    """The one or two names in ``head``; a blank in it may be part of a name or between two."""
    yield head
    for quoted in _QUOTED.findall(head):
        yield _ESCAPE.sub(_unescaped, quoted)
    for blank in re.finditer(rb" ", head):
        yield head[: blank.start()]
        yield head[blank.end() :]


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    if len(code) > 1:
        return bytes([int(code, 8) & 0xFF])
    return bytes([_LETTERS.get(code[0], code[0])])
