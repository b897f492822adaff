# SPDX-License-Identifier: Apache-2.0
"""From a catalog and its frozen sources to a plan, without any input or output.

Every image operand of every Dockerfile is followed: an alias of the definition first, then
what the catalog says the name means. What leads nowhere is an issue. Inputs that a definition
declares and its Dockerfile does not use make no edge: they would only make builds wait.
"""

from __future__ import annotations

import posixpath

from okd_payload.build import codes
from okd_payload.build.dockerfiles import ImageOperand, ReadDockerfile, read_dockerfile
from okd_payload.build.graph import find_cycle
from okd_payload.build.inputs import Inputs, dockerfile_location
from okd_payload.build.plan import (
    AliasNode,
    ComponentNode,
    Dependency,
    ExternalNode,
    ImportNode,
    Node,
    Plan,
    Relation,
)
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, ImageInput
from okd_payload.catalog.definition import Import, OtherTag, PulledImage
from okd_payload.catalog.names import ExternalImage, TagImage, Unresolved, resolve_image
from okd_payload.errors import InvalidDocument, nearest_names
from okd_payload.issues import Issue, apply_permits


def make_plan(catalog: Catalog, inputs: Inputs) -> Plan:
    """The plan of ``catalog``; images of elsewhere are not pinned yet (``pin_images``).

    Never raises: what is wrong is among the issues of the plan.
    """
    planner = _Planner(catalog, inputs)
    for component in catalog.components:
        planner.add_component(component)
    for entry in catalog.imports:
        planner.add_import(entry)
    planner.check_cycles()
    found = [*catalog.issues, *inputs.issues, *planner.issues]
    issues = apply_permits(found, catalog.stream.permits)
    nodes = dict(sorted(planner.nodes.items()))
    return Plan(stream=catalog.stream.name, nodes=nodes, issues=tuple(issues))


class _Planner:
    def __init__(self, catalog: Catalog, inputs: Inputs) -> None:
        self._catalog = catalog
        self._inputs = inputs
        self.nodes: dict[str, Node] = {}
        self.issues: list[Issue] = []

    def add_import(self, entry: Import) -> None:
        content = entry.content
        if isinstance(content, OtherTag):
            target = self._follow(content.tag, Relation.INPUT, entry)
            if target is not None:
                self.nodes[entry.name] = AliasNode(
                    name=entry.name, target=target.node, stub=entry.stub
                )
        elif isinstance(content, PulledImage):
            self.nodes[entry.name] = ImportNode(
                name=entry.name, reference=content.pull_spec, stub=entry.stub
            )
        else:
            self.nodes[entry.name] = ImportNode(
                name=entry.name,
                command=content.command,
                directory=content.directory,
                stub=entry.stub,
            )

    def add_component(self, component: Component) -> None:
        text = self._inputs.dockerfiles.get(component.name)
        found: list[Dependency | None]
        if text is not None:
            found = self._read(component, text)
        else:
            found = self._declared(component)
            self._check_dockerfile_is_copied(component)
        found += [
            self._follow(item.image, Relation.FILES, component)
            for item in component.inputs
            if item.copies
        ]
        dependencies = tuple(dependency for dependency in found if dependency is not None)
        self.nodes[component.tag] = ComponentNode(
            name=component.tag,
            component=component,
            commit=self._inputs.commits.get(component.name),
            dockerfile=text,
            dependencies=dependencies,
        )

    def _read(self, component: Component, text: str) -> list[Dependency | None]:
        try:
            dockerfile = read_dockerfile(component, text)
        except InvalidDocument as error:
            self.issues.append(
                codes.INVALID_DOCKERFILE.issue(
                    error.message,
                    component=component.name,
                    file=error.path,
                    line=error.line,
                    hint=error.hint,
                )
            )
            return []
        self._check_arguments(component, dockerfile)
        self._check_inputs(component, dockerfile)
        found = [self._follow_operand(component, operand) for operand in dockerfile.operands]
        if component.base:
            found.append(self._follow(component.base, Relation.BASE, component))
        return found

    def _follow_operand(self, component: Component, operand: ImageOperand) -> Dependency | None:
        alias = find_alias(component, operand)
        return self._follow(
            alias.image if alias else operand.reference,
            operand.relation,
            component,
            operand=operand,
            rule=f"alias of {alias.image}" if alias else "",
        )

    def _declared(self, component: Component) -> list[Dependency | None]:
        """What a component needs whose Dockerfile cannot be read before its parents exist."""
        found = [
            self._follow(item.image, Relation.INPUT, component)
            for item in component.inputs
            if not item.copies
        ]
        if component.base:
            found.append(self._follow(component.base, Relation.BASE, component))
        return found

    def _follow(
        self,
        name: str,
        relation: Relation,
        user: Component | Import,
        *,
        operand: ImageOperand | None = None,
        rule: str = "",
    ) -> Dependency | None:
        """The dependency on the image called ``name``, None when that is an issue."""
        image = resolve_image(name, self._catalog)
        problem = None if isinstance(image, TagImage) else image.problem
        if problem is not None:
            file, line = user.origin.file, user.origin.line
            if operand is not None:
                file, line = operand.file, operand.line
            self.issues.append(problem.issue(component=user.name, file=file, line=line))
        if isinstance(image, Unresolved):
            return None
        if isinstance(image, ExternalImage):
            node = ExternalNode(name=image.pull_spec, reference=image.pull_spec)
            self.nodes.setdefault(node.name, node)
        return Dependency(
            node=image.pull_spec if isinstance(image, ExternalImage) else image.tag,
            relation=relation,
            operand=operand.written if operand else name,
            rule=rule or image.rule,
            line=operand.line if operand else 0,
        )

    def _check_dockerfile_is_copied(self, component: Component) -> None:
        """Without a Dockerfile in the source, an input must bring it (``okd-pipelines`` 1.4, 2)."""
        if component.source is not None and component.name not in self._inputs.commits:
            return
        if any(brings_dockerfile(component, item) for item in component.inputs):
            return
        self.issues.append(
            codes.MISSING_DOCKERFILE.issue(
                f"there is no {dockerfile_location(component)} in {component.source}",
                component=component.name,
                file=component.origin.file,
                line=component.origin.line,
                hint="set `dockerfile` and `context`, or copy one out of another image",
            )
        )

    def _check_arguments(self, component: Component, dockerfile: ReadDockerfile) -> None:
        for argument in component.build_arguments:
            if argument.name not in dockerfile.arguments:
                near = nearest_names(argument.name, dockerfile.arguments)
                self.issues.append(
                    codes.UNCONSUMED_ARGUMENT.issue(
                        f"the Dockerfile declares no ARG {argument.name}",
                        component=component.name,
                        file=component.origin.file,
                        line=component.origin.line,
                        hint=f"did you mean {' or '.join(near)}?" if near else "",
                    )
                )

    def _check_inputs(self, component: Component, dockerfile: ReadDockerfile) -> None:
        used = {find_alias(component, operand) for operand in dockerfile.operands}
        for item in component.inputs:
            if not item.copies and item not in used:
                self.issues.append(
                    codes.UNUSED_INPUT.issue(
                        f"the Dockerfile uses no alias of the input {item.image}",
                        component=component.name,
                        file=component.origin.file,
                        line=component.origin.line,
                    )
                )

    def check_cycles(self) -> None:
        graph = Plan(stream="", nodes=self.nodes).graph
        while cycle := find_cycle(graph):
            first = self.nodes[cycle[0]]
            component = first.component if isinstance(first, ComponentNode) else None
            self.issues.append(
                codes.DEPENDENCY_CYCLE.issue(
                    f"images are built on each other in a circle: {' -> '.join(cycle)}",
                    component=component.name if component else cycle[0],
                    file=component.origin.file if component else "",
                    line=component.origin.line if component else 0,
                    hint="import one of them from an earlier release instead of building it",
                )
            )
            graph = graph.without(cycle)


def find_alias(component: Component, operand: ImageOperand) -> ImageInput | None:
    """The input of which ``operand`` is exactly an alias; nothing is normalised."""
    for item in component.inputs:
        if operand.written in item.aliases or operand.reference in item.aliases:
            return item
    return None


def brings_dockerfile(component: Component, item: ImageInput) -> bool:
    """Whether a copy of ``item`` may put the Dockerfile of ``component`` in its place."""
    wanted = dockerfile_location(component)
    for copy in item.copies:
        destination = posixpath.normpath(copy.destination)
        landed = posixpath.normpath(posixpath.join(destination, posixpath.basename(copy.source)))
        inside = destination == "." or wanted.startswith(f"{destination}/")
        if wanted == landed or (inside and copy.source.endswith(("/", "/."))):
            return True
    return False
