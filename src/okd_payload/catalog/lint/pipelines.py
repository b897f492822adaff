# SPDX-License-Identifier: Apache-2.0
"""Whether pipelines build what there is, each image after what it is built on.

Inputs that only overlays add count with less weight: overlays give them to (nearly) every
definition, and whether a Dockerfile uses one is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.batches import Batch, Batches, read_batches
from okd_payload.catalog.lint.subject import Subject, View, each_view
from okd_payload.errors import nearest_names
from okd_payload.issues import Issue

_NAMED = 6


@each_view
def check_builds(subject: Subject, view: View) -> Iterator[Issue]:
    """Builds of pipelines that nobody defines."""
    del subject
    for batches in _batches_of(view):
        for batch in batches.batches:
            for build in batch.builds:
                if build.name not in view.by_name:
                    near = nearest_names(build.name, view.by_name)
                    yield codes.UNKNOWN_BUILD.issue(
                        f"{batches.pipeline.name} starts the build {build.name} in {batch.task}, "
                        "which nobody defines",
                        component=build.name,
                        file=batches.pipeline.document.path,
                        line=build.line,
                        hint=f"did you mean {' or '.join(near)}?"
                        if near
                        else "define it, or take it out of the pipeline",
                    )


@each_view
def check_definitions(subject: Subject, view: View) -> Iterator[Issue]:
    """Definitions that no pipeline builds, where pipelines build the others."""
    del subject
    started = {name for batches in _batches_of(view) for name in batches.places}
    if not started & view.by_name.keys():
        return
    for definition in view.definitions:
        if definition.name not in started:
            yield definition.issue(
                codes.UNBUILT_DEFINITION,
                "no pipeline builds it",
                hint="name it in a batch, or remove the definition",
            )


@each_view
def check_order(subject: Subject, view: View) -> Iterator[Issue]:
    """Images that are not certainly built after what they are built on."""
    del subject
    for batches in _batches_of(view):
        together: dict[str, list[str]] = defaultdict(list)
        later: dict[str, list[str]] = defaultdict(list)
        for child in batches.places:
            for parent in sorted(view.parents.get(child, ())):
                if parent not in batches.places and parent not in view.written_parents[child]:
                    continue
                if parent not in batches.places:
                    yield _unbuilt(batches, child, parent)
                elif not batches.is_before(parent, child):
                    is_race = parent in view.written_parents[child]
                    is_race = is_race and not batches.is_before(child, parent)
                    (together if is_race else later)[parent].append(child)
        for parent, children in together.items():
            for child in children:
                yield _race(batches, parent, child)
        for parent, children in later.items():
            yield _late_parent(batches, parent, children)


@each_view
def check_levels(subject: Subject, view: View) -> Iterator[Issue]:
    """Images in a batch that has to wait for another one, though they need not.

    Batches of which nothing has to wait are there for another reason and are left alone.
    """
    del subject
    for batches in _batches_of(view):
        for batch in batches.batches:
            own = [build.name for build in batch.builds if build.name in view.by_name]
            earlier = {name: _earliest(batches, batch, view.parents[name]) for name in own}
            early = [name for name in own if earlier[name] is not None]
            if early and len(early) < len(own):
                first = next(build for build in batch.builds if build.name == early[0])
                yield codes.LATE_BATCH.issue(
                    f"{batches.pipeline.name} builds {_listing(early)} in {batch.task}; "
                    f"{earlier[early[0]]} could, or one before it",
                    component=early[0] if len(early) == 1 else "",
                    file=batches.pipeline.document.path,
                    line=first.line,
                    hint="build them in the earlier batch",
                )


def _batches_of(view: View) -> list[Batches]:
    found = [read_batches(pipeline, view.tasks_by_name) for pipeline in view.pipelines]
    return [batches for batches in found if batches.batches] if view.definitions else []


def _earliest(batches: Batches, batch: Batch, parents: frozenset[str]) -> str | None:
    """The task of the batch before ``batch`` that could have the build; None without one."""
    before = batches.pipeline.ancestors(batch.task)
    previous = [each for each in batches.batches if each.task in before]
    if not previous:
        return None
    last = max(previous, key=lambda each: len(batches.pipeline.ancestors(each.task)))
    ready = batches.pipeline.ancestors(last.task)
    known = [batches.places[name][0].task for name in parents if name in batches.places]
    return last.task if all(task in ready for task in known) else None


def _unbuilt(batches: Batches, child: str, parent: str) -> Issue:
    _, build = batches.places[child]
    return codes.UNBUILT_PARENT.issue(
        f"{batches.pipeline.name} builds {child} and not {parent}, which it takes as it finds it",
        component=child,
        file=batches.pipeline.document.path,
        line=build.line,
        hint=f"build {parent} too, or see to it that the stream has it",
    )


def _race(batches: Batches, parent: str, child: str) -> Issue:
    _, build = batches.places[child]
    return codes.BATCH_RACE.issue(
        f"{batches.pipeline.name} builds {child} at the same time as {parent}, on which it is "
        "built",
        component=child,
        file=batches.pipeline.document.path,
        line=build.line,
        hint=f"build {parent} in a batch before",
    )


def _late_parent(batches: Batches, parent: str, children: list[str]) -> Issue:
    batch, build = batches.places[parent]
    has = "has" if len(children) == 1 else "have"
    return codes.LATE_PARENT.issue(
        f"{batches.pipeline.name} builds {parent} in {batch.task}, not before "
        f"{_listing(children)}, which {has} it as an input",
        component=parent,
        file=batches.pipeline.document.path,
        line=build.line,
        hint=f"build {parent} in a batch before",
    )


def _listing(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
