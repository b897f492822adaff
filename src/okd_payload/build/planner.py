# SPDX-License-Identifier: Apache-2.0
"""From a catalog and its frozen sources to a plan, without any input or output.

Every image operand of every Dockerfile is followed: an alias of the definition first, then
what the catalog says the name means. What leads nowhere is an issue. Inputs that a definition
declares and its Dockerfile does not use make no edge: they would only make builds wait. Builders
that stand in for others, and what they are built like, are made only where something needs them.
"""

from __future__ import annotations

from okd_payload.build import codes
from okd_payload.build.declared import Declarations
from okd_payload.build.dockerfiles import (
    DockerfileReader,
    ImageOperand,
    ReadDockerfile,
    dockerfile_path,
    resolve,
)
from okd_payload.build.graph import find_cycle
from okd_payload.build.inputs import Inputs, brings_dockerfile, dockerfile_location
from okd_payload.build.plan import (
    AliasNode,
    ComponentNode,
    Dependency,
    ExternalNode,
    ImportNode,
    NamedBy,
    Node,
    Plan,
    Relation,
    component_name,
)
from okd_payload.catalog.builders.choice import BuilderChoice
from okd_payload.catalog.builders.generation import generate_builder
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.codes import UNKNOWN_COMPONENT
from okd_payload.catalog.component import Component
from okd_payload.catalog.definition import Import, OtherTag, PulledImage
from okd_payload.catalog.names import (
    ExternalImage,
    TagImage,
    Unresolved,
    node_of,
    resolve_image,
)
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.issues import Issue, IssueCode


def make_plan(catalog: Catalog, inputs: Inputs, *, reader: DockerfileReader) -> Plan:
    """The plan of ``catalog``; images of elsewhere are not pinned yet (``pin_images``).

    Never raises: what is wrong is among the issues of the plan, permits not applied yet.
    """
    planner = _Planner(catalog, inputs, reader)
    for component in catalog.components:
        if component.tag in catalog.wanted_tags:
            planner.add_component(component)
    for entry in catalog.imports:
        planner.add_import(entry)
    planner.check_declarations()
    planner.check_cycles()
    return Plan(
        stream=catalog.stream.name,
        nodes=dict(sorted(planner.nodes.items())),
        issues=(*catalog.issues, *inputs.issues, *planner.issues),
    )


class _Planner:
    def __init__(self, catalog: Catalog, inputs: Inputs, reader: DockerfileReader) -> None:
        self._catalog = catalog
        self._reader = reader
        self._inputs = inputs
        self.nodes: dict[str, Node] = {}
        self.issues: list[Issue] = []
        self._declarations = Declarations(catalog)

    def add_import(self, entry: Import) -> None:
        content = entry.content
        if isinstance(content, OtherTag):
            image = resolve_image(content.tag, self._catalog)
            # What is wrong with the tag, the catalog has said already.
            if not isinstance(image, Unresolved):
                target = self._need(image)
                self.nodes[entry.name] = AliasNode(name=entry.name, target=target, stub=entry.stub)
        elif isinstance(content, PulledImage):
            self.nodes[entry.name] = ImportNode(
                name=entry.name,
                reference=content.pull_spec,
                stub=entry.stub,
                sharing=entry.sharing,
                sharing_reason=entry.sharing_reason,
            )
        else:
            self.nodes[entry.name] = ImportNode(
                name=entry.name,
                command=content.command,
                directory=content.directory,
                stub=entry.stub,
            )

    def add_component(self, component: Component, *, built_like: str = "") -> None:
        content = self._inputs.dockerfiles.get(component.name)
        foreseen = self._inputs.foreseen.get(component.name)
        readable = foreseen if content is None else content
        # A builder is its own parent's parent only by mistake, which must end as a cycle.
        self.nodes[component.tag] = ExternalNode(name=component.tag, reference="")
        found: list[Dependency | None]
        if readable is not None:
            found = self._read(component, readable)
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
            base=self._inputs.bases.get(component.name),
            dockerfile=content,
            foreseen=content is None and foreseen is not None,
            built_like=built_like,
            dependencies=dependencies,
        )

    def _read(self, component: Component, content: bytes) -> list[Dependency | None]:
        try:
            dockerfile = self._reader.read(component, content)
        except InvalidDocument as error:
            self.issues.append(
                codes.INVALID_DOCKERFILE.issue(
                    error.detail,
                    component=component.name,
                    file=error.path,
                    line=error.line,
                    hint=error.hint,
                )
            )
            return []
        except InputError as error:
            self._report(codes.INVALID_DOCKERFILE, component, error.message, hint=error.hint)
            return []
        self._check_arguments(component, dockerfile)
        found = [
            self._follow(operand.meaning, operand.relation, component, operand=operand)
            for operand in dockerfile.operands
        ]
        nodes = [dependency.node for dependency in found if dependency is not None]
        self._declarations.note_unused(component, dockerfile, nodes)
        return found

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
        component: Component,
        *,
        operand: ImageOperand | None = None,
    ) -> Dependency | None:
        """The dependency on the image called ``name``, None when that is an issue."""
        written = operand.operand if operand else name
        image = resolve(operand, self._catalog) if operand else resolve_image(name, self._catalog)
        problem = None if isinstance(image, TagImage) else image.problem
        if problem is not None and problem.code is UNKNOWN_COMPONENT:
            # What builders are built like is missing for all who need one: told once.
            self.issues += [issue for issue in (problem.issue(),) if issue not in self.issues]
        elif problem is not None:
            file, line = component.origin.file, component.origin.line
            if operand is not None:
                file, line = dockerfile_path(component), operand.line
            self.issues.append(problem.issue(component=component.name, file=file, line=line))
        if isinstance(image, Unresolved):
            return None
        node, named_by = self._need(image), _named_by(image, relation, name, written)
        return Dependency(
            node=node,
            relation=relation,
            operand=written,
            rule=image.rule or (f"alias of {name}" if named_by is NamedBy.ALIAS else ""),
            line=operand.line if operand else 0,
            named_by=named_by,
            declared=self._declarations.has(component, node),
            reference=operand.reference if operand else name,
            versions=builder.versions if (builder := _builder(image)) else (),
        )

    def _need(self, image: TagImage | ExternalImage) -> str:
        """The node of ``image``, which is there now."""
        name = node_of(image)
        if isinstance(image, ExternalImage):
            self.nodes.setdefault(name, ExternalNode(name=name, reference=name))
        elif name not in self.nodes:
            made = self._catalog.tags.get(name)
            if isinstance(made, Component) and name not in self._catalog.wanted_tags:
                self.add_component(made)
            elif made is None and image.builder is not None:
                definition = self._catalog.by_name[image.builder.definition]
                builder = generate_builder(image.builder, definition)
                self.add_component(builder, built_like=definition.name)
        return name

    def _check_dockerfile_is_copied(self, component: Component) -> None:
        """Without a Dockerfile in the source, an input must bring it (``okd-pipelines`` 1.4, 2)."""
        if component.source is not None and component.name not in self._inputs.commits:
            return
        copies = (copy for item in component.inputs for copy in item.copies)
        if not any(brings_dockerfile(component, copy) for copy in copies):
            place = f" in {component.source}" if component.source else ", and no source"
            self._report(
                codes.MISSING_DOCKERFILE,
                component,
                f"there is no {dockerfile_location(component)}{place}",
                hint="set `dockerfile` and `context`, or copy one out of another image",
            )

    def _check_arguments(self, component: Component, dockerfile: ReadDockerfile) -> None:
        for name in dockerfile.unconsumed:
            message = f"the Dockerfile declares no ARG {name}"
            self._report(codes.UNCONSUMED_ARGUMENT, component, message)

    def _report(
        self, code: IssueCode, component: Component, message: str, *, hint: str = ""
    ) -> None:
        file, line = component.origin.file, component.origin.line
        self.issues.append(
            code.issue(message, component=component.name, file=file, line=line, hint=hint)
        )

    def check_declarations(self) -> None:
        """Tell of what definitions declare and nothing uses."""
        self.issues += self._declarations.issues()

    def check_cycles(self) -> None:
        graph = Plan(stream="", nodes=self.nodes).graph
        while cycle := find_cycle(graph):
            first = self.nodes[cycle[0]]
            component = first.component if isinstance(first, ComponentNode) else None
            self.issues.append(
                codes.DEPENDENCY_CYCLE.issue(
                    f"images are built on each other in a circle: {' -> '.join(cycle)}",
                    component=component_name(first),
                    file=component.origin.file if component else "",
                    line=component.origin.line if component else 0,
                    hint="import one of them from an earlier release instead of building it",
                )
            )
            graph = graph.without(cycle)


def _named_by(
    image: TagImage | ExternalImage, relation: Relation, name: str, written: str
) -> NamedBy:
    if relation is Relation.BASE:
        return NamedBy.BASE
    if _builder(image):
        return NamedBy.BUILDER
    if name != written:
        return NamedBy.ALIAS
    return NamedBy.SUBSTITUTION if image.rule else NamedBy.NAME


def _builder(image: TagImage | ExternalImage) -> BuilderChoice | None:
    return image.builder if isinstance(image, TagImage) else None
