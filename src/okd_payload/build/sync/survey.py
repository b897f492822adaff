# SPDX-License-Identifier: Apache-2.0
"""Letting a stream follow another branch: asked of everybody, decided, and written once.

The branch stands in one line of the stream file, and who has another one beside it. Which one
comes next is read from the branches that repositories have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.build.sync.asking import BranchQuestions
from okd_payload.build.sync.branch_names import VERSION, NextBranch, find_next, pattern_of
from okd_payload.build.sync.branching import (
    BranchChoice,
    Outcome,
    choose,
    exceptions_of,
    followers_of,
)
from okd_payload.build.sync.file_changes import FileChange, read_text
from okd_payload.build.sync.rewriting import tell_rewritten
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.stream import Git
from okd_payload.catalog.writing.edit import Edit, edit_yaml
from okd_payload.errors import InputError
from okd_payload.source.branches import KnownBranches
from okd_payload.source.history import History
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource


class BranchSurvey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who has a branch, as ``-o json`` prints it."""

    stream: str
    branch: str
    components: tuple[BranchChoice, ...]
    after: str = ""
    """The branch that it comes after, when that was the question."""
    evidence: str = ""
    """How that is known."""

    @property
    def counts(self) -> Counter[Outcome]:
        """How many components each outcome has."""
        return Counter(choice.outcome for choice in self.components)


async def survey(
    catalog: Catalog,
    definitions: Sequence[Definition],
    questions: BranchQuestions,
    *,
    branch: str,
    fallbacks: Sequence[str],
) -> BranchSurvey:
    """Who has ``branch``, or else one of ``fallbacks``. Raises MissingTool and StorageError."""
    followers = followers_of(catalog, definitions, branch=branch, fallbacks=fallbacks)
    answers = await questions.ask(followers)
    return BranchSurvey(
        stream=catalog.stream.name,
        branch=branch,
        components=tuple(choose(followers, answers, branch=branch)),
    )


async def survey_next(
    catalog: Catalog,
    definitions: Sequence[Definition],
    questions: BranchQuestions,
    *,
    fallbacks: Sequence[str],
) -> BranchSurvey:
    """The same for the branch that comes after that of the stream, by one question as well.

    Raises InputError when the stream follows none, or none comes after it.
    """
    current = catalog.stream.git.branch
    if not current:
        raise InputError(
            f"{catalog.path} names no branch that another could come after",
            hint="name the branch: okd-payload catalog branch BRANCH",
        )
    shapes = [shape for shape in (pattern_of(current), *fallbacks) if VERSION in shape]
    before = followers_of(catalog, definitions, branch=current, fallbacks=fallbacks)
    patterns = [shape.replace(VERSION, "*") for shape in shapes]
    answers = await questions.ask(before, patterns=patterns)
    known = [answer.commits for answer in answers.values() if isinstance(answer, KnownBranches)]
    following = find_next(current, known)
    followers = followers_of(catalog, definitions, branch=following.name, fallbacks=fallbacks)
    return BranchSurvey(
        stream=catalog.stream.name,
        branch=following.name,
        components=tuple(choose(followers, answers, branch=following.name)),
        after=current,
        evidence=_tell(following),
    )


async def compare_with_lock(
    found: BranchSurvey, catalog: Catalog, *, lock: Lock, history: History
) -> BranchSurvey:
    """``found`` with the branches whose history was rewritten since ``lock`` was made."""
    locations = {
        each.name: each.source.url
        for each in catalog.components
        if isinstance(each.source, GitSource)
    }
    choices = await tell_rewritten(found.components, locations, lock=lock, history=history)
    return msgspec.structs.replace(found, components=tuple(choices))


def change_branch(path: Path, git: Git, found: BranchSurvey) -> FileChange:
    """The stream file at ``path``, whose branch is said in ``git``, with what was ``found``."""
    before = read_text(path)
    wanted = exceptions_of(found.components, git.exceptions, branch=found.branch)
    edits = [] if found.branch == git.branch else [Edit(("git", "branch"), found.branch)]
    edits += [Edit(("git", "exceptions", name)) for name in git.exceptions if name not in wanted]
    edits += [
        Edit(("git", "exceptions", name), ref)
        for name, ref in sorted(wanted.items())
        if name not in git.exceptions or git.exceptions[name] != ref
    ]
    return FileChange(path=path, before=before, after=edit_yaml(before, edits, path=str(path)))


def _tell(following: NextBranch) -> str:
    return f"{following.repositories} of {following.of} repositories that have the one before"
