# SPDX-License-Identifier: Apache-2.0
"""Finding a file of a tree by its path, links followed but never out of the tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from okd_payload.errors import SourceError
from okd_payload.process import KEPT_BYTES
from okd_payload.source.git_objects import Entry, Mode

_MOST_LINKS = 40
"""As many as the kernel follows before it calls it a loop."""


def find_file(
    files: Mapping[str, Entry], path: str, *, read_link: Callable[[str], str]
) -> str | None:
    """The path in ``files`` that ``path`` leads to; None when it leads to no file.

    Raises SourceError when it leads out of the tree.
    """
    found: list[str] = []
    left = path.split("/")[::-1]
    links = 0
    while left:
        name = left.pop()
        if name in ("", "."):
            continue
        if name == "..":
            if not found:
                raise outside(path)
            found.pop()
            continue
        found.append(name)
        here = "/".join(found)
        entry = files.get(here)
        if entry is not None and entry.mode is Mode.LINK:
            links += 1
            target = read_link(here)
            if links > _MOST_LINKS:
                return None
            if target.startswith("/"):
                raise outside(path)
            found.pop()
            left.extend(target.split("/")[::-1])
    here = "/".join(found)
    return here if here in files else None


def outside(path: str) -> SourceError:
    """The refusal to read what ``path`` leads to."""
    return SourceError(
        f"{path} leads out of the source",
        hint="only files of the source itself are read: replace the link by the file",
    )


def too_large(name: str) -> SourceError:
    """The refusal to read the file called ``name`` as a whole."""
    return SourceError(
        f"{name} has more than {KEPT_BYTES} bytes",
        hint="it is read as a text, as in a Dockerfile: is the path right?",
    )
