# SPDX-License-Identifier: Apache-2.0
"""Altered sources made with git: commits in a repository that nobody else writes to.

No work tree is needed: patches are applied to an index, and files go in through
``git fast-import``. Blobs that a partial copy lacks are fetched only when a patch touches them.
A patch that does not fit is merged three-way with what it was made for, as ``git am --3way``
does; where the merge has conflicts, it is refused and says which hunk.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from okd_payload.errors import SourceError
from okd_payload.process import KEPT_BYTES, Outcome
from okd_payload.source.alteration import (
    AUTHOR,
    Alteration,
    FileChanges,
    NewFile,
    Patch,
    Patches,
    explain_conflict,
)
from okd_payload.source.git_failures import complaint, hint_for
from okd_payload.source.git_objects import Mode
from okd_payload.source.model import Commit

_TREE_ENTRY = re.compile(rb"(\d{6}) (blob|tree|commit) ([0-9a-f]{40})\t([^\0]+)\0")
_RAW_CHANGE = re.compile(rb":\d{6} (\d{6}) [0-9a-f]{40} ([0-9a-f]{40}) ([A-Z])\0([^\0]+)\0")
_FOLDERS_AT_ONCE = 500
_UNMERGED = "lacks the necessary blob"


class GitCommands(Protocol):
    """Commands on one repository."""

    async def attempt(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """Run a command that may fail."""
        ...


async def make_altered_commit(
    commands: GitCommands, directory: Path, base: Commit, alteration: Alteration
) -> str:
    """The id of ``base`` altered, a commit of the repository in ``directory``.

    Raises PatchConflict, and SourceError when git cannot do it.
    """
    if isinstance(alteration, Patches):
        tree = await apply_patches(commands, directory, base.id, alteration)
        return await _commit_tree(commands, base, tree, alteration)
    gone = [*alteration.removed, *await _own_files(commands, base.id, alteration.emptied)]
    ref = f"refs/altering/{secrets.token_hex(8)}"
    stream = b"".join(_fast_import(base, alteration, gone, ref=ref))
    printed = await _ask(commands, "fast-import", "--quiet", "--done", stdin=stream)
    await _ask(commands, "update-ref", "-d", ref)
    return printed.output.decode().strip()


async def apply_patches(commands: GitCommands, directory: Path, base: str, patches: Patches) -> str:
    """The id of the tree that ``patches`` make of the commit or tree ``base``."""
    index = directory / f"index-{secrets.token_hex(8)}"
    place = {"GIT_INDEX_FILE": str(index)}
    # A merge writes to the folder where git stands, although only the index was asked for.
    with tempfile.TemporaryDirectory(prefix="okd-payload-patches-") as nowhere:
        try:
            await _ask(commands, "read-tree", base, environment=place)
            for patch in patches.patches:
                await _apply(commands, patch, place, nowhere)
            written = await _ask(commands, "write-tree", "--missing-ok", environment=place)
        finally:
            index.unlink(missing_ok=True)
    return written.output.decode().strip()


async def read_changes(
    commands: GitCommands, before: str, after: str, *, message: str
) -> FileChanges:
    """In what the tree ``after`` differs from ``before``."""
    listing = await _ask(commands, "diff-tree", "-r", "-z", "--raw", "--no-renames", before, after)
    removed, files = [], []
    for mode, blob, letter, name in _RAW_CHANGE.findall(listing.output):
        path = os.fsdecode(name)
        if letter == b"D":
            removed.append(path)
        else:
            content = (await _ask(commands, "cat-file", "blob", blob.decode())).output
            files.append(NewFile(path, content, Mode(mode.decode())))
    return FileChanges(message=message, removed=tuple(removed), files=tuple(files))


async def _apply(
    commands: GitCommands, patch: Patch, place: Mapping[str, str], nowhere: str
) -> None:
    """Apply ``patch`` to the index: as it is, or merged."""
    common = ("-C", nowhere, "apply", "--cached", "--whitespace=nowarn")
    plain = await commands.attempt(*common, environment=place, stdin=patch.content)
    if plain.code == 0:
        return
    merged = await commands.attempt(*common, "--3way", environment=place, stdin=patch.content)
    if merged.code == 0:
        return
    reverse = await commands.attempt(
        *common, "--reverse", "--check", environment=place, stdin=patch.content
    )
    if reverse.code != 0:  # what is in the source already, git am passes over too
        raise explain_conflict(patch, plain.errors, unmerged=_UNMERGED in merged.errors)


async def _commit_tree(
    commands: GitCommands, base: Commit, tree: str, alteration: Alteration
) -> str:
    name, _, address = AUTHOR.rstrip(">").partition(" <")
    identity = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (
            ("NAME", name),
            ("EMAIL", address),
            ("DATE", f"{base.time} +0000"),
        )
    }
    made = await _ask(
        commands,
        *("commit-tree", "--no-gpg-sign", "-p", base.id, "-m", alteration.message, tree),
        environment=identity,
    )
    return made.output.decode().strip()


async def _own_files(commands: GitCommands, commit: str, folders: tuple[str, ...]) -> list[str]:
    """The files directly in ``folders``."""
    found = []
    for start in range(0, len(folders), _FOLDERS_AT_ONCE):
        asked = [f"{folder}/" for folder in folders[start : start + _FOLDERS_AT_ONCE]]
        listing = await _ask(commands, "ls-tree", "-z", commit, "--", *asked)
        entries = _TREE_ENTRY.findall(listing.output)
        found += [os.fsdecode(name) for _, kind, _, name in entries if kind == b"blob"]
    return found


def _fast_import(
    base: Commit, changes: FileChanges, gone: list[str], *, ref: str
) -> Iterator[bytes]:
    """The stream that makes the commit and prints its id."""
    time = max(base.time, changes.time)
    message = f"{changes.message}\n".encode()
    yield f"commit {ref}\nmark :1\nauthor {AUTHOR} {time} +0000\n".encode()
    yield f"committer {AUTHOR} {time} +0000\ndata {len(message)}\n".encode() + message
    yield f"from {base.id}\n".encode()
    for path in gone:
        yield b"D " + _quoted(path) + b"\n"
    for file in changes.files:
        yield f"M {file.mode.value} inline ".encode() + _quoted(file.path)
        yield f"\ndata {len(file.content)}\n".encode() + file.content + b"\n"
    yield b"get-mark :1\ndone\n"


def _quoted(path: str) -> bytes:
    """``path`` as fast-import takes it whatever is in it."""
    plain = os.fsencode(path)
    for character, escape in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n")):
        plain = plain.replace(character, escape)
    return b'"' + plain + b'"'


async def _ask(
    commands: GitCommands,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
) -> Outcome:
    outcome = await commands.attempt(*arguments, environment=environment, stdin=stdin)
    if outcome.code != 0:
        raise SourceError(
            f"git {arguments[0]} failed: {complaint(outcome)}", hint=hint_for(outcome)
        )
    if outcome.truncated:
        raise SourceError(
            f"git {arguments[0]} says more than {KEPT_BYTES} bytes about {arguments[-1]}",
            hint="leave the large files out of the change",
        )
    return outcome
