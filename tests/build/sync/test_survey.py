# SPDX-License-Identifier: Apache-2.0
"""A stream that follows another branch: asked, decided, and written once."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import write_stream

from okd_payload.build.sync.asking import REMEMBERED_SECONDS, BranchQuestions
from okd_payload.build.sync.branch_names import FALLBACKS
from okd_payload.build.sync.branching import BranchChoice, Outcome
from okd_payload.build.sync.survey import BranchSurvey, change_branch, survey, survey_next
from okd_payload.catalog.load import load_catalog, load_definitions
from okd_payload.errors import InputError, SourceError
from okd_payload.progress import ignore_progress
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_branches import MemoryBranches

NEW = "release-4.16"
STREAM = """\
git:
  branch: release-4.15   # the ref of nearly all
  exceptions:
    etcd: openshift-4.15   # has branches of its own
    branding: ~   # ours
    fixed: my-fix
    late: main
"""
COMPONENTS = {
    name: f"source: {{git: 'https://git.test/{name}', ref: main}}\n"
    for name in ("api", "etcd", "branding", "fixed", "late", "behind", "gone")
} | {"pinned": "source: {git: 'https://git.test/pinned', ref: v1, pinned: true}\n"}


class Desk:
    """A stream of ``COMPONENTS``, and repositories in memory that answer about branches."""

    def __init__(self, folder: Path, *, stream: str = STREAM) -> None:
        self.folder = folder
        self.branches = MemoryBranches()
        self.clock = ManualClock()
        write_stream(folder, COMPONENTS, stream=stream)
        self.put("api", "release-4.15", NEW)
        self.put("etcd", "openshift-4.15", "openshift-4.16", "main", NEW)
        self.put("late", "main", "release-4.15", NEW)
        self.put("behind", "release-4.15")
        self.put("gone", "trunk")

    def put(self, component: str, *names: str) -> None:
        self.branches.put(f"https://git.test/{component}", *names)

    @property
    def stream(self) -> str:
        """The text of the stream file."""
        return (self.folder / "stream.yaml").read_text()

    async def survey(self, branch: str = NEW) -> BranchSurvey:
        questions = BranchQuestions(
            self.branches,
            memory=self.folder / "state" / "branches.json",
            clock=self.clock,
            progress=ignore_progress,
        )
        catalog = load_catalog(self.folder)
        definitions = load_definitions(self.folder).definitions
        if branch:
            return await survey(catalog, definitions, questions, branch=branch, fallbacks=FALLBACKS)
        return await survey_next(catalog, definitions, questions, fallbacks=FALLBACKS)

    def write(self, found: BranchSurvey) -> None:
        catalog = load_catalog(self.folder)
        change = change_branch(Path(catalog.path), catalog.stream.git, found)
        change.path.write_text(change.after or "")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The stream of the tests."""
    return Desk(tmp_path)


def by_name(found: BranchSurvey) -> dict[str, BranchChoice]:
    """The choices by component."""
    return {choice.component: choice for choice in found.components}


async def test_each_component_gets_the_first_name_that_its_repository_has(desk):
    """The branch, else what stands in for it, else what it has today, else nothing."""
    choices = by_name(await desk.survey())
    assert {name: (each.outcome, each.ref) for name, each in choices.items()} == {
        "api": (Outcome.FOUND, NEW),
        "etcd": (Outcome.FALLBACK, "openshift-4.16"),
        "late": (Outcome.FOUND, NEW),
        "behind": (Outcome.BEHIND, "release-4.15"),
        "gone": (Outcome.MISSING, ""),
        "branding": (Outcome.KEPT, "main"),
        "fixed": (Outcome.KEPT, "my-fix"),
        "pinned": (Outcome.KEPT, "v1"),
    }
    assert choices["api"].commit
    assert choices["gone"].reason.startswith("has none of release-4.16, openshift-4.16, main")
    assert choices["fixed"].reason == "an exception says my-fix"


async def test_the_branch_is_written_once_and_the_exceptions_beside_it(desk):
    """Comments stay, what is no exception any more goes, and a second run changes nothing."""
    desk.write(await desk.survey())
    assert desk.stream.endswith(
        """\
git:
  branch: release-4.16   # the ref of nearly all
  exceptions:
    etcd: openshift-4.16   # has branches of its own
    branding: ~   # ours
    fixed: my-fix
    behind: release-4.15
    gone: release-4.15
"""
    )
    written = desk.stream
    desk.write(await desk.survey())
    assert desk.stream == written
    refs = {each.name: each.source.ref for each in load_catalog(desk.folder).components}
    assert (refs["api"], refs["late"], refs["etcd"]) == (NEW, NEW, "openshift-4.16")


async def test_what_is_behind_follows_as_soon_as_it_can(desk):
    """An exception that stood for a branch that was not there yet goes when it is."""
    desk.write(await desk.survey())
    desk.put("behind", "release-4.15", NEW)
    choices = by_name(await desk.survey())
    assert choices["behind"].outcome is Outcome.FOUND
    desk.write(await desk.survey())
    assert "behind" not in desk.stream


async def test_a_repository_that_does_not_answer_holds_up_no_other(desk):
    """It is told with the reason; what was answered is not asked again while the rest is."""
    desk.branches.fail("https://git.test/api", SourceError("says no", hint="log in"))
    first = by_name(await desk.survey())
    assert (first["api"].outcome, first["api"].reason) == (Outcome.UNANSWERED, "says no")
    assert first["etcd"].outcome is Outcome.FALLBACK
    desk.put("api", NEW)
    desk.branches.asked.clear()
    second = by_name(await desk.survey())
    assert desk.branches.asked == ["https://git.test/api"]
    assert second["api"].outcome is Outcome.FOUND
    assert second["etcd"] == first["etcd"]
    desk.branches.asked.clear()
    await desk.survey()
    assert len(desk.branches.asked) == 5


async def test_writing_what_is_known_asks_nobody_again(desk):
    """A stream file that says more is another question, which the same answers answer."""
    desk.branches.fail("https://git.test/api", SourceError("says no"))
    desk.write(await desk.survey())
    assert "api: release-4.15" in desk.stream
    desk.put("api", NEW)
    desk.branches.asked.clear()
    desk.write(await desk.survey())
    assert desk.branches.asked == ["https://git.test/api"]
    assert "api:" not in desk.stream


async def test_answers_grow_old(desk):
    """After an hour everybody is asked again, because branches move."""
    desk.branches.fail("https://git.test/api", SourceError("says no"))
    await desk.survey()
    desk.clock.advance(REMEMBERED_SECONDS)
    desk.branches.asked.clear()
    await desk.survey()
    assert len(desk.branches.asked) == 5


async def test_components_of_one_repository_ask_once(tmp_path):
    """However many images a repository has, it gets one question."""
    desk = Desk(tmp_path)
    more = dict.fromkeys(("cli", "cli-artifacts"), "source: {git: 'https://git.test/api'}\n")
    write_stream(tmp_path, COMPONENTS | more, stream=STREAM)
    choices = by_name(await desk.survey())
    assert desk.branches.asked.count("https://git.test/api") == 1
    assert choices["cli"].ref == choices["cli-artifacts"].ref == NEW


async def test_the_next_branch_is_found_by_the_same_question(desk):
    """The branch that most repositories have next is taken, and everybody was asked once."""
    found = await desk.survey(branch="")
    assert (found.branch, found.after) == (NEW, "release-4.15")
    assert found.evidence == "2 of 3 repositories that have the one before"
    assert sorted(desk.branches.asked) == sorted(set(desk.branches.asked))
    assert by_name(found)["etcd"].ref == "openshift-4.16"


async def test_there_is_nothing_next_to_a_stream_without_branch(tmp_path):
    """Who follows no branch is told to name one."""
    desk = Desk(tmp_path, stream="")
    with pytest.raises(InputError, match="names no branch"):
        await desk.survey(branch="")


async def test_a_ref_that_the_stream_file_gives_stays(tmp_path):
    """Overlays and changes win over the branch, so they are left alone."""
    desk = Desk(tmp_path, stream="components: {api: {source: {ref: mine}}}\n")
    choices = by_name(await desk.survey())
    assert (choices["api"].outcome, choices["api"].reason) == (
        Outcome.KEPT,
        "the stream file says mine",
    )


async def test_definitions_with_refs_of_their_own_follow_as_well(tmp_path):
    """Where the stream names no branch yet, the refs of the definitions are what is today."""
    desk = Desk(tmp_path, stream="")
    choices = by_name(await desk.survey())
    assert choices["etcd"].ref == NEW
    assert choices["pinned"].outcome is Outcome.KEPT
    assert choices["gone"].today == "main"
