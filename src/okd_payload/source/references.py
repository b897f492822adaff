# SPDX-License-Identifier: Apache-2.0
"""What a branch, a tag or nothing at all means in a repository elsewhere, right now.

A name is looked for among branches, then tags, then everything below ``refs/`` (so that
``pull/7/head`` names a pull request): where a branch and a tag share a name, the branch wins,
because branches are what streams follow. An annotated tag means the commit that it points at.
"""

from __future__ import annotations

import re

from okd_payload.errors import InputError, SourceError, nearest_names
from okd_payload.source.git import ANSWER_SECONDS, Git
from okd_payload.source.git_failures import complaint, hint_for
from okd_payload.source.remote import Remote

_COMMIT = re.compile(r"[0-9a-f]{40}")
_LISTED = re.compile(r"^([0-9a-f]{40})\t(\S+)$", re.MULTILINE)
_NOT_A_REF = re.compile(
    r"^[-/]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.$|/$|\.lock(?:/|$)|(?:^|/)\."
)


def is_commit(ref: str) -> bool:
    """Whether ``ref`` is a full commit id, which means itself everywhere."""
    return _COMMIT.fullmatch(ref) is not None


def check_ref(ref: str) -> str:
    """``ref`` itself if it can be the name of a branch or tag. Raises InputError."""
    if _NOT_A_REF.search(ref) or not ref:
        raise InputError(
            f"{ref!r} cannot be a git branch, tag or commit",
            hint="give a name as in main, v1.2 or release-4.19, or the 40 digits of a commit",
        )
    return ref


async def look_up(git: Git, remote: Remote, ref: str) -> str:
    """The commit id that ``ref`` means at ``remote``; of its default branch when empty."""
    if is_commit(ref):
        return ref
    names = _candidates(check_ref(ref)) if ref else ("HEAD",)
    patterns = [pattern for name in names for pattern in (name, f"{name}^{{}}")]
    purpose = f"resolve {ref or 'the default branch'}"
    listed = await _list(git, remote, patterns, purpose)
    for name in names:
        found = listed.get(f"{name}^{{}}") or listed.get(name)
        if found:
            return found
    if not ref:
        raise SourceError(
            f"{remote.url} has no default branch", hint="it may be empty: name a branch or a tag"
        )
    raise await _unknown(git, remote, ref)


def _candidates(ref: str) -> tuple[str, ...]:
    if ref.startswith("refs/"):
        return (ref,)
    return (f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}")


async def _unknown(git: Git, remote: Remote, ref: str) -> SourceError:
    listed = await _list(git, remote, ["refs/heads/*", "refs/tags/*"], "list the branches")
    names = {name.split("/", 2)[2] for name in listed if not name.endswith("^{}")}
    near = nearest_names(ref, names)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif re.fullmatch(r"[0-9a-f]{7,39}", ref):
        hint = "give all 40 digits of a commit: servers do not find shortened ones"
    else:
        hint = "the repository has " + (", ".join(sorted(names)[:5]) or "neither branches nor tags")
    return SourceError(f"{remote.url} has no branch or tag {ref!r}", hint=hint)


async def _list(git: Git, remote: Remote, patterns: list[str], purpose: str) -> dict[str, str]:
    """Names and ids of the refs that fit ``patterns``."""
    outcome = await git.ask(
        remote, "ls-remote", "--", remote.url, *patterns, purpose=purpose, patience=ANSWER_SECONDS
    )
    if outcome.code != 0:
        raise SourceError(
            f"cannot {purpose} of {remote.url}: {complaint(outcome)}", hint=hint_for(outcome)
        )
    text = outcome.output.decode(errors="surrogateescape")
    return {name: found for found, name in _LISTED.findall(text)}
