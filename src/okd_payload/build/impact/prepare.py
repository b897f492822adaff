# SPDX-License-Identifier: Apache-2.0
"""From changes to sources that have them: who is reached, and each with the change in it.

Afterwards it is an ordinary build: a catalog, a lock with the altered commits, and the tags to
make anew. A component that cannot take the change is left as it was and told about, and so is
what would only have been reached through it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from okd_payload.build.base_release import BaseRelease, take_over
from okd_payload.build.codes import INVALID_DOCKERFILE, MISSING_DOCKERFILE, SOURCE_UNAVAILABLE
from okd_payload.build.freeze import FrozenPlan, freeze, read_plan
from okd_payload.build.impact.change import Change, repository_name
from okd_payload.build.impact.changed import Changed, look_into
from okd_payload.build.impact.go_facts import GoFacts, read_go_facts
from okd_payload.build.impact.packages import Packages
from okd_payload.build.impact.reach import Reach, Reason, Selection, Use, find_reach
from okd_payload.build.impact.vendoring import ModuleConflict, Texts, vendor_changes
from okd_payload.build.pins import Resolver
from okd_payload.build.plan import ComponentNode, Node, Plan
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component
from okd_payload.errors import InputError, SourceError
from okd_payload.issues import Issue, Severity, apply_permits
from okd_payload.oci.manifest import Platform
from okd_payload.oci.threads import finish_in_thread
from okd_payload.release.concurrency import map_concurrently
from okd_payload.source.alteration import FileChanges, NewFile
from okd_payload.source.lock import Lock, LockedSource
from okd_payload.source.model import Commit, FolderSource, GitSource, SourceTree

_AT_ONCE = 8
_UNREAD = frozenset({SOURCE_UNAVAILABLE.code, MISSING_DOCKERFILE.code, INVALID_DOCKERFILE.code})


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A component that cannot be built with the change, and what to do about it."""

    name: str
    tag: str
    reason: str
    hint: str = ""
    reasons: tuple[Reason, ...] = ()
    """Why the change reaches it."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A change set that is ready to be built."""

    catalog: Catalog
    changed: tuple[Changed, ...]
    reach: Reach
    conflicts: tuple[Conflict, ...]
    notes: dict[str, tuple[str, ...]]
    """By tag: what is not as after a real update."""
    altered: dict[str, LockedSource]
    """By component: the source with the change in it."""
    bases: dict[str, LockedSource]
    """By component: the source without it; those of the changes are among them."""
    issues: tuple[Issue, ...]
    """What could not be read, and so may be reached without anybody knowing."""

    @property
    def built(self) -> frozenset[str]:
        """The tags that are made anew."""
        return frozenset(item.tag for item in self.reach.reached)

    @property
    def names(self) -> frozenset[str]:
        """The components that are built anew."""
        return frozenset(item.name for item in self.reach.reached)


async def prepare_changes(
    catalog: Catalog,
    changes: Sequence[Change],
    *,
    selection: Selection,
    sources: SourceTree,
    platform: Platform,
    lock: Lock,
) -> Prepared:
    """Everything that ``changes`` reach in ``catalog``, with the change in their sources.

    Raises InputError when nothing is reached, SourceError when a change cannot be had,
    MissingTool and StorageError.
    """
    with tempfile.TemporaryDirectory(prefix="okd-payload-change-") as folder:
        changed = [
            await look_into(change, sources, lock=lock, folder=Path(folder) / str(number))
            for number, change in enumerate(changes)
        ]
        own = await _find_own(catalog, changed, selection, sources)
        catalog = _with_own(catalog, own)
        plan = await read_plan(
            catalog, catalog.tags.keys(), sources=sources, platform=platform, lock=lock
        )
        facts = await read_go_facts(plan.components, sources)
        preparation = _Preparation(plan, changed, facts, own=own, selection=selection)
        reach = await preparation.run(sources)
    if not reach.reached and not preparation.conflicts:
        raise _nothing_reached(changes, reach)
    return Prepared(
        catalog=_without_patches(catalog, preparation.altered),
        changed=tuple(changed),
        reach=reach,
        conflicts=tuple(preparation.conflicts[tag] for tag in sorted(preparation.conflicts)),
        notes=preparation.notes,
        altered=preparation.altered,
        bases=preparation.bases
        | {
            item.change.lock_name: LockedSource(item.change.source, item.commit) for item in changed
        },
        issues=_soften(plan, catalog, reach),
    )


async def freeze_changes(
    prepared: Prepared,
    *,
    base: BaseRelease | None,
    sources: SourceTree,
    resolve: Resolver,
    platform: Platform,
    lock: Lock,
) -> FrozenPlan:
    """The plan that makes ``prepared``: over the rest of ``base``, or in the whole stream.

    The lock of the plan has the sources as they were before; changing them again gives the same.
    """
    catalog = prepared.catalog
    given = msgspec.structs.replace(lock, sources=lock.sources | prepared.altered)
    if base is not None:
        catalog = take_over(catalog, base, built=prepared.built)
    frozen = await freeze(
        catalog,
        sources=sources,
        resolve=resolve,
        platform=platform,
        lock=given,
        only=prepared.built if base is not None else (),
    )
    issues = dict.fromkeys((*frozen.plan.issues, *prepared.issues))
    return msgspec.structs.replace(
        frozen,
        plan=msgspec.structs.replace(
            frozen.plan, nodes=_with_bases(frozen.plan, prepared), issues=tuple(issues)
        ),
        lock=msgspec.structs.replace(
            frozen.lock, sources=frozen.lock.sources | _kept(frozen.lock, prepared)
        ),
    )


def _with_bases(plan: Plan, prepared: Prepared) -> dict[str, Node]:
    """The nodes of ``plan``; altered ones know what they are made from."""

    def complete(node: Node) -> Node:
        if isinstance(node, ComponentNode) and node.component.name in prepared.altered:
            return msgspec.structs.replace(node, base=prepared.bases[node.component.name].commit)
        return node

    return {name: complete(node) for name, node in plan.nodes.items()}


def _kept(lock: Lock, prepared: Prepared) -> dict[str, LockedSource]:
    """The sources of ``prepared`` as a lock needs them to build the same again."""
    changes = {item.change.lock_name for item in prepared.changed}
    return {
        name: source
        for name, source in prepared.bases.items()
        if name in lock.sources or name in changes
    }


class _Preparation:
    """Changes the sources of what is reached, and finds out what is not reached then."""

    def __init__(
        self,
        plan: Plan,
        changed: Sequence[Changed],
        facts: Mapping[str, GoFacts],
        *,
        own: Mapping[str, Changed],
        selection: Selection,
    ) -> None:
        self._plan = plan
        self._changed = changed
        self._facts = facts
        self._own = own
        self._selection = selection
        self._packages = Packages()
        self.conflicts: dict[str, Conflict] = {}
        self.notes: dict[str, tuple[str, ...]] = {}
        self.altered: dict[str, LockedSource] = {}
        self.bases: dict[str, LockedSource] = {}

    async def run(self, sources: SourceTree) -> Reach:
        """What is reached, all sources altered."""
        reach = self._find()
        nodes = {node.name: node for node in self._plan.components}
        reasons = {item.tag: item.reasons for item in reach.reached}

        async def alter(tag: str) -> None:
            try:
                await self._alter(nodes[tag], reach.uses[tag], sources)
            except (ModuleConflict, SourceError) as error:
                name = nodes[tag].component.name
                self.conflicts[tag] = Conflict(
                    name=name,
                    tag=tag,
                    reason=error.message,
                    hint=error.hint,
                    reasons=reasons[tag],
                )

        await map_concurrently(alter, sorted(reach.uses), at_once=_AT_ONCE)
        return self._find() if self.conflicts else reach

    def _find(self) -> Reach:
        return find_reach(
            self._plan,
            self._changed,
            self._facts,
            own=self._own,
            selection=self._selection,
            refused={tag: item.reason for tag, item in self.conflicts.items()},
        )

    async def _alter(self, node: ComponentNode, uses: Sequence[Use], sources: SourceTree) -> None:
        source, commit = node.component.source, node.commit
        if source is None or commit is None:
            return
        emptied: list[str] = []
        files: list[NewFile] = []
        notes: list[str] = []
        for main in dict.fromkeys(use.main.go_mod_path for use in uses):
            of_main = [use for use in uses if use.main.go_mod_path == main]
            texts = Texts(
                go_mod=await sources.read_file(source, commit, main) or b"",
                go_sum=await sources.read_file(source, commit, f"{main[:-3]}sum"),
            )
            found = await finish_in_thread(
                vendor_changes, of_main[0].main, of_main, texts, self._packages
            )
            emptied += found.emptied
            files += found.files
            notes += found.notes
        changes = FileChanges(
            message=f"With {', '.join(dict.fromkeys(_shown(use) for use in uses))}",
            emptied=tuple(dict.fromkeys(emptied)),
            files=tuple({file.path: file for file in files}.values()),
            time=max(item.commit.time for item in self._changed),
        )
        altered = await sources.alter(source, commit, changes)
        name = node.component.name
        self.altered[name] = LockedSource(source, altered)
        self.bases[name] = LockedSource(source, node.base or commit)
        if notes:
            self.notes[node.name] = tuple(notes)


def _shown(use: Use) -> str:
    return f"{use.module.path} {use.module.version}"


async def _find_own(
    catalog: Catalog, changed: Sequence[Changed], selection: Selection, sources: SourceTree
) -> dict[str, Changed]:
    """The changed repository of each component that is built from one, by tag."""
    found = {}
    for component in catalog.components:
        name = await _repository_of(component, sources)
        for item in changed:
            if name in item.repositories and not selection.refuses(component.name, component.tag):
                found[component.tag] = item
    return found


async def _repository_of(component: Component, sources: SourceTree) -> str:
    if isinstance(component.source, GitSource):
        return repository_name(component.source.url)
    if isinstance(component.source, FolderSource):
        try:
            commit: Commit = await sources.resolve(component.source)
        except SourceError:  # the plan tells about it
            return ""
        return repository_name(commit.location)
    return ""


def _with_own(catalog: Catalog, own: Mapping[str, Changed]) -> Catalog:
    """``catalog`` with the changed source for what is built from it."""
    components = tuple(
        msgspec.structs.replace(component, source=own[component.tag].change.source)
        if component.tag in own
        else component
        for component in catalog.components
    )
    return msgspec.structs.replace(catalog, components=components)


def _without_patches(catalog: Catalog, altered: Mapping[str, LockedSource]) -> Catalog:
    """``catalog`` less the patches that are in ``altered`` sources already."""
    components = tuple(
        msgspec.structs.replace(component, patches="") if component.name in altered else component
        for component in catalog.components
    )
    return msgspec.structs.replace(catalog, components=components)


def _soften(plan: Plan, catalog: Catalog, reach: Reach) -> tuple[Issue, ...]:
    """What keeps others from being known as reached is told, and stops nothing."""
    reached = {item.name for item in reach.reached}
    found = [
        msgspec.structs.replace(issue, severity=Severity.WARNING)
        for issue in plan.issues
        if issue.code in _UNREAD and issue.component not in reached
    ]
    return tuple(apply_permits(found, catalog.stream.permits))


def _nothing_reached(changes: Sequence[Change], reach: Reach) -> InputError:
    names = ", ".join(change.repository for change in changes)
    told = [f"{item.name}: {item.reason}" for item in reach.left_out[:3]]
    return InputError(
        f"{names} reaches nothing in this stream" + "".join(f"\n  {line}" for line in told),
        hint="is the name right? a repository is found by ORG/REPO of sources and by the module "
        "paths in its go.mod",
    )
