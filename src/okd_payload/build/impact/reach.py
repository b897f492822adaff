# SPDX-License-Identifier: Apache-2.0
"""Which components a change reaches, on which ways, and how far away they are.

Pure decision over a plan that has every Dockerfile read and the Go modules of every component.
A component is at distance 0 when it is built from the changed repository, at distance 1 when it
is built with one of its modules; an image that is built on another, or copies files out of it,
is one further. What is left out is no way on: its image stays as it was.
"""

from __future__ import annotations

import enum
import fnmatch
from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.build.dockerfiles import dockerfile_path
from okd_payload.build.impact.changed import Changed, ChangedModule
from okd_payload.build.impact.go_facts import GoFacts
from okd_payload.build.plan import AliasNode, ComponentNode, Dependency, Plan, Relation
from okd_payload.catalog.go_modules.dependence import Dependence, Link, MainModule, find_dependence


class Way(enum.Enum):
    """How a change comes to a component."""

    SOURCE = "source"
    MODULE = "module"
    IMAGE = "image"
    FILES = "files"


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason why a component is reached, and where that stands."""

    way: Way
    what: str
    """The repository, the module or the image."""
    message: str
    file: str = ""
    line: int = 0


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A component that a change reaches."""

    name: str
    tag: str
    distance: int
    reasons: tuple[Reason, ...]
    packages: tuple[str, ...] = ()
    """The packages of changed modules that it has copies of."""


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A component that is named with the change, or reached by it, and not built with it."""

    name: str
    tag: str
    reason: str


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what is reached somebody wants; names are names, tags or globs of them."""

    depth: int | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    def refuses(self, name: str, tag: str) -> str:
        """Why the component is not wanted; empty when it is."""
        if _fits(self.skip, name, tag):
            return "left out by --skip"
        if self.only and not _fits(self.only, name, tag):
            return "not among --only"
        return ""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """That a main module of a component is built with a changed module."""

    main: MainModule
    module: ChangedModule
    dependence: Dependence


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What a change reaches, nearest first, and what it does not."""

    reached: tuple[Reached, ...]
    left_out: tuple[LeftOut, ...]
    uses: dict[str, tuple[Use, ...]]
    """By tag: what has to be changed in the sources of those that are reached."""


def find_reach(
    plan: Plan,
    changed: Sequence[Changed],
    facts: Mapping[str, GoFacts],
    *,
    own: Mapping[str, Changed],
    selection: Selection,
    refused: Mapping[str, str] | None = None,
) -> Reach:
    """What ``changed`` reaches in ``plan``.

    ``own`` are the changed repositories by the tag of what is built from them; ``refused`` says
    by tag why components cannot be built with the change.
    """
    walk = _Walk(plan, selection, refused or {})
    for node in plan.components:
        if node.name in own:
            change = own[node.name].change
            message = f"is built from {change.repository}"
            origin = node.component.origin
            reason = Reason(
                way=Way.SOURCE,
                what=change.repository,
                message=message,
                file=origin.file,
                line=origin.line,
            )
            walk.begin(node, 0, reason)
    for node in plan.components:
        walk.use(node, _uses_of(node, changed, facts.get(node.name, GoFacts()), walk))
    walk.follow_images()
    return walk.result()


def _uses_of(
    node: ComponentNode, changed: Sequence[Changed], facts: GoFacts, walk: _Walk
) -> list[Use]:
    if facts.problem:
        walk.leave(node, f"its Go modules cannot be read: {facts.problem}")
    found = []
    for main in facts.modules:
        for module in (module for change in changed for module in change.modules):
            if main.go_mod.module == module.path:
                continue
            dependence = find_dependence(main, module.names)
            if isinstance(dependence, Dependence):
                found.append(Use(main=main, module=module, dependence=dependence))
            elif dependence is not None:
                walk.leave(node, f"{dependence.reason} ({dependence.file}:{dependence.line})")
    return found


class _Walk:
    """Collects reasons from the change outwards."""

    def __init__(self, plan: Plan, selection: Selection, refused: Mapping[str, str]) -> None:
        self._plan = plan
        self._selection = selection
        self._refused = refused
        self._distance: dict[str, int] = {}
        self._reasons: dict[str, list[Reason]] = {}
        self._uses: dict[str, tuple[Use, ...]] = {}
        self._left: dict[str, str] = {}

    def leave(self, node: ComponentNode, reason: str) -> None:
        """Remember why ``node`` is not built with the change, unless another way leads to it."""
        self._left.setdefault(node.name, reason)

    def begin(self, node: ComponentNode, distance: int, reason: Reason) -> bool:
        """Go to ``node`` if it is wanted; whether it counts as reached."""
        refusal = self._refused.get(node.name) or self._selection.refuses(
            node.component.name, node.name
        )
        depth = self._selection.depth
        if not refusal and depth is not None and distance > depth:
            refusal = f"{reason.message}, which is further away than --depth {depth}"
        if refusal:
            self._left[node.name] = refusal
            return False
        self._distance[node.name] = min(distance, self._distance.get(node.name, distance))
        self._reasons.setdefault(node.name, []).append(reason)
        return True

    def use(self, node: ComponentNode, uses: list[Use]) -> None:
        """Go to ``node`` for the modules it is built with."""
        for use in uses:
            found = use.dependence
            count = len(found.packages)
            copies = f", {count} package{'s' if count > 1 else ''}" if count else ""
            link = "imports" if found.link is Link.DIRECT else "is built with"
            replaced = f" as {found.imported.path}" if found.is_replaced else ""
            message = f"{link} {found.content.path}{replaced}{copies}"
            reason = Reason(
                way=Way.MODULE,
                what=use.module.path,
                message=message,
                file=found.file,
                line=found.line,
            )
            if self.begin(node, 1, reason):
                self._uses[node.name] = (*self._uses.get(node.name, ()), use)

    def follow_images(self) -> None:
        """Go on to what stands on images that are made anew, nearest first."""
        ahead = deque(sorted(self._distance, key=lambda tag: (self._distance[tag], tag)))
        children = self._plan.graph.children()
        passed: set[str] = set()
        while ahead:
            tag = ahead.popleft()
            if tag in passed:
                continue
            passed.add(tag)
            for child in children.get(tag, ()):
                if self._step(tag, child):
                    ahead.append(child)

    def _step(self, tag: str, child: str) -> bool:
        """Go from the image ``tag`` to ``child``; whether that is reached."""
        node = self._plan.nodes[child]
        distance = self._distance[tag]
        if isinstance(node, AliasNode):
            self._distance.setdefault(child, distance)
            return True
        if not isinstance(node, ComponentNode):
            return False
        reached = [
            self.begin(node, distance + 1, _image_reason(node, dependency))
            for dependency in node.dependencies
            if dependency.node == tag
        ]
        return any(reached)

    def result(self) -> Reach:
        """Everything that was found."""
        nodes = {node.name: node for node in self._plan.components}
        reached = [
            Reached(
                name=nodes[tag].component.name,
                tag=tag,
                distance=self._distance[tag],
                reasons=tuple(dict.fromkeys(reasons)),
                packages=tuple(
                    package
                    for use in self._uses.get(tag, ())
                    for package in use.dependence.packages
                ),
            )
            for tag, reasons in self._reasons.items()
        ]
        left = [
            LeftOut(name=nodes[tag].component.name, tag=tag, reason=reason)
            for tag, reason in sorted(self._left.items())
            if tag not in self._reasons
        ]
        reached.sort(key=lambda item: (item.distance, item.tag))
        return Reach(reached=tuple(reached), left_out=tuple(left), uses=self._uses)


def _image_reason(node: ComponentNode, dependency: Dependency) -> Reason:
    files = dependency.relation in (Relation.FILES, Relation.COPY, Relation.MOUNT)
    verb = "copies files of" if files else "is built on"
    origin = node.component.origin
    place = dockerfile_path(node.component) if dependency.line else origin.file
    return Reason(
        way=Way.FILES if files else Way.IMAGE,
        what=dependency.node,
        message=f"{verb} {dependency.node} ({dependency.relation.value} {dependency.operand})",
        file=place,
        line=dependency.line or origin.line,
    )


def _fits(patterns: Sequence[str], name: str, tag: str) -> bool:
    return any(
        fnmatch.fnmatchcase(called, pattern) for pattern in patterns for called in {name, tag}
    )
