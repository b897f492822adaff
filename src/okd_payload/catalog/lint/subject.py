# SPDX-License-Identifier: Apache-2.0
"""What is checked: every file read once, and the facts that many checks ask for.

Checks are functions of a ``Subject`` that return issues. What holds only for definitions that
belong together (does anybody make this image? does a pipeline build it?) is asked of each
``View``: the objects of a kustomization that no other one includes, of a stream file, or of a
folder without kustomizations. Within a view, tags are named ``STREAM:TAG``, or ``TAG`` where
there is one stream only because a stream file says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from okd_payload.catalog import codes
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.ci_operator.model import Configuration
from okd_payload.catalog.component import Component, ImageInput
from okd_payload.catalog.definition import Import, OtherTag, PulledImage
from okd_payload.catalog.kustomize import RenderedObject
from okd_payload.catalog.lint.kustomizations import WrittenOperation
from okd_payload.catalog.lint.tekton import Pipeline, Run, Task
from okd_payload.catalog.names import ExternalImage, Problem, Unresolved, resolve_image
from okd_payload.documents import Document, FieldPath
from okd_payload.errors import nearest_names
from okd_payload.issues import Issue, IssueCode, Permit

_CLUSTER_REGISTRY = "image-registry.openshift-image-registry.svc:5000/"


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A component as a view has it, and as its file says it before overlays."""

    component: Component
    written: Component
    stream: str = ""
    """The image stream of its tag; empty where tags need none."""
    document: Document | None = None
    """The file, for the lines of fields."""
    pulled: frozenset[str] = frozenset()
    """Names that the definition says are images elsewhere, host or not."""
    rendered: RenderedObject | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.component.name

    @property
    def tag(self) -> str:
        """The name that its image gets in the view."""
        return self.qualified(self.component.tag)

    def qualified(self, image: str) -> str:
        """``image`` as the view calls it."""
        is_bare = self.stream and ":" not in image and "/" not in image
        return f"{self.stream}:{image}" if is_bare else image

    def line_of(self, *field: str | int) -> int:
        """The line of ``field`` in the file, the first one of the definition without it."""
        return (self.document.line_of(field) if self.document else 0) or self.component.origin.line

    def issue(
        self, code: IssueCode, message: str, field: FieldPath = (), *, hint: str = ""
    ) -> Issue:
        """An issue of this definition."""
        return code.issue(
            message,
            component=self.name,
            file=self.component.origin.file,
            line=self.line_of(*field),
            hint=hint,
        )

    def uses(self) -> Iterator[tuple[str, FieldPath]]:
        """The images that it names: the base and every input, and where."""
        if self.component.base:
            yield self.component.base, ("spec", "strategy", "dockerStrategy", "from")
        for item in self.component.inputs:
            yield item.image, self.place_of(item)

    def place_of(self, item: ImageInput) -> FieldPath:
        """Where the file says ``item``; nowhere for what an overlay adds."""
        if item not in self.written.inputs:
            return ()
        return ("spec", "source", "images", self.written.inputs.index(item), "from")


class View(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Definitions, imports and pipelines that belong together."""

    name: str
    definitions: tuple[Definition, ...] = ()
    imports: tuple[Import, ...] = ()
    """Named as the view names tags."""
    pipelines: tuple[Pipeline, ...] = ()
    tasks: tuple[Task, ...] = ()
    selected_labels: frozenset[str] = frozenset()
    """The labels that overlays select by."""
    catalog: Catalog | None = None
    """Of a stream file: it also knows what substitutions and builders make of a name."""

    @property
    def permits(self) -> tuple[Permit, ...]:
        """What its stream file accepts."""
        return self.catalog.stream.permits if self.catalog else ()

    @functools.cached_property
    def by_name(self) -> dict[str, Definition]:
        """Every definition by its name."""
        return {each.name: each for each in self.definitions}

    @functools.cached_property
    def by_tag(self) -> dict[str, Definition]:
        """Every definition by its tag."""
        return {each.tag: each for each in self.definitions}

    @functools.cached_property
    def imported(self) -> dict[str, Import]:
        """Every import by its tag."""
        return {each.name: each for each in self.imports}

    @functools.cached_property
    def tasks_by_name(self) -> dict[str, Task]:
        """Every Task by its name."""
        return {each.name: each for each in self.tasks}

    @functools.cached_property
    def parents(self) -> dict[str, frozenset[str]]:
        """The definitions that each definition names as base or input, by their names."""
        return {each.name: self._parents_of(each, each.component) for each in self.definitions}

    @functools.cached_property
    def written_parents(self) -> dict[str, frozenset[str]]:
        """The same without what overlays add, which builds may well not use."""
        return {each.name: self._parents_of(each, each.written) for each in self.definitions}

    def _parents_of(self, definition: Definition, component: Component) -> frozenset[str]:
        images = [component.base, *(item.image for item in component.inputs)]
        tags = {definition.qualified(image) for image in images} - {definition.tag}
        return frozenset(self.by_tag[tag].name for tag in tags if tag in self.by_tag)

    @functools.cached_property
    def files(self) -> frozenset[str]:
        """The files that its definitions, imports and pipelines come from."""
        return frozenset(
            (
                *(each.component.origin.file for each in self.definitions),
                *(each.origin.file for each in self.imports),
                *(each.document.path for each in self.pipelines),
            )
        )

    def concerns(self, issue: Issue) -> bool:
        """Whether what ``issue`` is about is a part of this view."""
        return issue.file in self.files

    def find_image(self, definition: Definition, image: str) -> str | Unresolved | None:
        """The pull spec that ``image`` of ``definition`` stands for; None for a built image."""
        if self.catalog is not None:
            found = resolve_image(image, self.catalog)
            if isinstance(found, Unresolved):
                return found
            return found.pull_spec if isinstance(found, ExternalImage) else None
        name = definition.qualified(image)
        seen: set[str] = set()
        while name not in self.by_tag and name in self.imported and name not in seen:
            seen.add(name)
            content = self.imported[name].content
            if isinstance(content, PulledImage):
                return content.pull_spec
            name = content.tag if isinstance(content, OtherTag) else name
        inside = name.removeprefix(_CLUSTER_REGISTRY)
        if name in self.by_tag or (inside != name and self._knows(inside.partition("/")[2])):
            return None
        if "/" in name or image in definition.pulled:
            return name
        return Unresolved(name, self._dangling(name))

    def _dangling(self, name: str) -> Problem:
        near = nearest_names(name, [*self.by_tag, *self.imported])
        return Problem(
            codes.DANGLING_REFERENCE,
            f"nobody makes {name}",
            f"did you mean {' or '.join(near)}?" if near else "define it, or import the tag",
        )

    def _knows(self, tag: str) -> bool:
        return tag in self.by_tag or tag in self.imported


class ReadConfiguration(msgspec.Struct, frozen=True):
    """A configuration of OpenShift CI and its document."""

    configuration: Configuration
    document: Document


class Subject(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All that is checked together."""

    documents: tuple[Document, ...] = ()
    """Of every file that has objects, kustomizations or configurations."""
    views: tuple[View, ...] = ()
    definitions: tuple[Definition, ...] = ()
    """As the files say them, each once, before any overlay."""
    operations: tuple[tuple[WrittenOperation, ...], ...] = ()
    """Those of each JSON patch of a kustomization."""
    tasks: tuple[Task, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    runs: tuple[Run, ...] = ()
    configurations: tuple[ReadConfiguration, ...] = ()
    dockerfiles: Mapping[str, bytes] = {}
    """By component; empty when nobody read them."""
    issues: tuple[Issue, ...] = ()
    """What reading has found."""

    @functools.cached_property
    def tasks_by_name(self) -> dict[str, Task]:
        """Every Task by its name; of equal names the first."""
        return {each.name: each for each in reversed(self.tasks)}

    @functools.cached_property
    def pipelines_by_name(self) -> dict[str, Pipeline]:
        """Every Pipeline by its name; of equal names the first."""
        return {each.name: each for each in reversed(self.pipelines)}


Check = Callable[[Subject], Iterable[Issue]]
ViewCheck = Callable[[Subject, View], Iterable[Issue]]


def each_view(check: ViewCheck) -> Check:
    """``check`` of every view; what does not hold in all of them says where it does."""

    @functools.wraps(check)
    def check_all(subject: Subject) -> Iterator[Issue]:
        found: dict[Issue, list[str]] = {}
        for view in subject.views:
            for issue in check(subject, view):
                names = found.setdefault(issue, [])
                if view.name not in names:
                    names.append(view.name)
        for issue, names in found.items():
            concerned = [view.name for view in subject.views if view.concerns(issue)]
            if set(concerned) <= set(names):
                yield issue
            else:
                message = f"{issue.message} (in {', '.join(names)})"
                yield msgspec.structs.replace(issue, message=message)

    return check_all
