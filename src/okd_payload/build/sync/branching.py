# SPDX-License-Identifier: Apache-2.0
"""Which ref every component has when the stream follows another branch.

Decided from what repositories have, never by asking: each component has names in an order, and
the first that its repository has counts. A ref that somebody chose on purpose (pinned, a commit,
an exception of another shape, one given by the stream file) stays, and is told.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.build.sync.branch_names import expand, fits, pattern_of
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.stream import Git
from okd_payload.errors import SourceError
from okd_payload.source.branches import KnownBranches
from okd_payload.source.model import GitSource
from okd_payload.source.references import is_commit
from okd_payload.source.remote import redacted


class Outcome(enum.Enum):
    """What became of a component."""

    FOUND = "found"
    """Its repository has the branch."""
    FALLBACK = "fallback"
    """It lacks the branch, and has one that stands in for it."""
    BEHIND = "behind"
    """It has neither, and stays where it is today."""
    KEPT = "kept"
    """It does not follow the branch of the stream."""
    MISSING = "missing"
    """It has nothing, not even what it is built from today."""
    UNANSWERED = "unanswered"
    """Its repository could not be asked."""


class Follower(msgspec.Struct, frozen=True, kw_only=True):
    """A component, and the names that its ref may get."""

    component: str
    location: str
    """As git takes it; may hold a password."""
    today: str
    """The ref that the stream gives it now; empty is the default branch."""
    candidates: tuple[str, ...] = ()
    """The first that the repository has counts."""
    last_resort: str = ""
    """What counts when it has none of them: the ref of today."""
    kept: str = ""
    """Why it does not follow; empty when it does."""


class BranchChoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The ref of one component, as ``-o json`` prints it."""

    component: str
    repository: str
    outcome: Outcome
    ref: str = ""
    today: str = ""
    commit: str = ""
    reason: str = ""
    rewritten: str = ""
    """What became of the history since the lock, when something did."""
    hint: str = ""


def followers_of(
    catalog: Catalog,
    definitions: Sequence[Definition],
    *,
    branch: str,
    fallbacks: Sequence[str],
) -> list[Follower]:
    """Every component of ``catalog`` from git, and where it would be for ``branch``.

    ``definitions`` are those of the files, before the stream file changed them.
    """
    pinned = {each.component.name: each.pinned for each in definitions}
    written = {each.component.name: each.component.source for each in definitions}
    followers = []
    for component in catalog.components:
        source, before = component.source, written.get(component.name)
        if not isinstance(source, GitSource):
            continue
        own = before.ref if isinstance(before, GitSource) else ""
        kept = _why_kept(
            component.name,
            source.ref,
            git=catalog.stream.git,
            own=own,
            pinned=pinned.get(component.name, False),
            shapes=(pattern_of(branch), *fallbacks),
        )
        candidates = () if kept else _candidates(source.ref, branch, fallbacks)
        followers.append(
            Follower(
                component=component.name,
                location=source.url,
                today=source.ref,
                candidates=candidates,
                last_resort="" if kept or source.ref in candidates else source.ref,
                kept=kept,
            )
        )
    return followers


def choose(
    followers: Sequence[Follower],
    answers: Mapping[str, KnownBranches | SourceError],
    *,
    branch: str,
) -> list[BranchChoice]:
    """The ref of each of ``followers``, by what repositories answered."""
    return [_choose(each, answers.get(each.location), branch) for each in followers]


def exceptions_of(
    choices: Sequence[BranchChoice], given: Mapping[str, str | None], *, branch: str
) -> dict[str, str | None]:
    """The exceptions that a stream needs beside ``branch``; those ``given`` on purpose stay."""
    wanted = dict(given)
    for choice in choices:
        if choice.outcome is Outcome.KEPT:
            continue
        ref = choice.ref or choice.today
        if ref in ("", branch):
            wanted.pop(choice.component, None)
        else:
            wanted[choice.component] = ref
    return wanted


def _why_kept(
    name: str, today: str, *, git: Git, own: str, pinned: bool, shapes: Sequence[str]
) -> str:
    """Why the component called ``name`` keeps its ref; empty when it follows the branch."""
    if name in git.exceptions:
        given = git.exceptions[name]
        if given is None:
            return "an exception keeps the ref of its definition"
        if today == given and not any(fits(given, shape) for shape in shapes):
            return f"an exception says {given}"
        expected = given
    elif pinned:
        return "its definition is pinned"
    elif is_commit(own):
        return "its definition names a commit"
    else:
        expected = git.branch or own
    return "" if today == expected else f"the stream file says {today}"


def _candidates(today: str, branch: str, fallbacks: Sequence[str]) -> tuple[str, ...]:
    """Names to look for: that of the own shape of a repository first."""
    own = [pattern for pattern in fallbacks if pattern not in (today, "") and fits(today, pattern)]
    names = [
        *(expand(pattern, branch) for pattern in own),
        branch,
        *(expand(pattern, branch) for pattern in fallbacks),
    ]
    return tuple(dict.fromkeys(name for name in names if name))


def _choose(
    follower: Follower, answer: KnownBranches | SourceError | None, branch: str
) -> BranchChoice:
    told = BranchChoice(
        component=follower.component,
        repository=redacted(follower.location),
        outcome=Outcome.KEPT,
        ref=follower.today,
        today=follower.today,
        reason=follower.kept,
    )
    if follower.kept:
        return told
    if not isinstance(answer, KnownBranches):
        return msgspec.structs.replace(
            told,
            outcome=Outcome.UNANSWERED,
            ref="",
            reason=answer.message if answer else "was not asked",
            hint=answer.hint if answer else "",
        )
    for name in (*follower.candidates, follower.last_resort):
        if name in answer:
            outcome, reason = _judge(name, follower, branch)
            return msgspec.structs.replace(
                told, outcome=outcome, ref=name, commit=answer.commits[name], reason=reason
            )
    return msgspec.structs.replace(
        told,
        outcome=Outcome.MISSING,
        ref="",
        reason=f"has none of {', '.join(follower.candidates)}",
        hint=f"name its ref under `git.exceptions` of the stream file: {follower.component}: REF",
    )


def _judge(name: str, follower: Follower, branch: str) -> tuple[Outcome, str]:
    if name == branch:
        return Outcome.FOUND, ""
    if name == follower.last_resort:
        return Outcome.BEHIND, f"lacks {branch}, and stays"
    return Outcome.FALLBACK, f"lacks {branch}" if follower.candidates[0] == branch else "its own"
