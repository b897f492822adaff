# SPDX-License-Identifier: Apache-2.0
"""The folder of a mirror: made in one step, swept after kills, thrown away when damaged.

It is written here instead of by ``git init``, whose result depends on the user's templates and
configuration. Everything here blocks and wants the mirror's lock to be held alone.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from okd_payload.oci.layout.files import storage_errors
from okd_payload.source.remote import Remote

_CONFIG = """\
[core]
\trepositoryformatversion = 1
\tfilemode = true
\tbare = true
[remote "origin"]
\turl = {url}
"""
_PROMISOR = "\tpromisor = true\n"
_PARTIAL = f"""\
{_PROMISOR}\tpartialclonefilter = {{left_out}}
[extensions]
\tpartialClone = origin
"""
# The content of a commit is what its tree says; attributes would convert line ends on the way.
_ATTRIBUTES = "* -text -eol -ident -filter -working-tree-encoding\n"
_LEFT_OVER = ("*.lock", "refs/keep/*.lock", "objects/pack/tmp_*", "objects/??/tmp_*", "index-*")
"""What killed git commands leave: with their locks, no later command would start."""


def prepare(
    path: Path, remote: Remote, *, whole: bool = False, left_out: str = "blob:none"
) -> None:
    """Make the mirror of ``remote`` at ``path`` if it is not there.

    Unless it is ``whole``, it lacks what the git filter ``left_out`` names, and fetches that when
    it is read.
    """
    partial = "" if whole else _PARTIAL.format(left_out=left_out)
    config = _CONFIG.format(url=_quoted(remote.url)) + partial
    fresh = path.with_name(f"{path.name}.new")
    with storage_errors("write the git cache", path):
        for left_over in (fresh, _old(path)):
            shutil.rmtree(left_over, ignore_errors=True)
        if not path.is_dir():
            for folder in ("objects", "refs/keep", "info"):
                (fresh / folder).mkdir(parents=True)
            (fresh / "HEAD").write_text("ref: refs/heads/none\n")
            (fresh / "config").write_text(config)
            (fresh / "info" / "attributes").write_text(_ATTRIBUTES)
            fresh.rename(path)


def sweep(path: Path) -> None:
    """Remove what killed commands left in the mirror at ``path``."""
    with storage_errors("write the git cache", path):
        for pattern in _LEFT_OVER:
            for file in path.glob(pattern):
                file.unlink()


def is_whole(path: Path) -> bool:
    """Whether the mirror at ``path`` was made to hold everything."""
    with storage_errors("read the git cache", path), contextlib.suppress(FileNotFoundError):
        return _PROMISOR.encode() not in (path / "config").read_bytes()
    return False


def discard(path: Path) -> None:
    """Remove the mirror at ``path``."""
    with storage_errors("write the git cache", path):
        shutil.rmtree(_old(path), ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            path.rename(_old(path))
        shutil.rmtree(_old(path), ignore_errors=True)


def _old(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")


def _quoted(text: str) -> str:
    """``text`` as a value of a git configuration file."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
