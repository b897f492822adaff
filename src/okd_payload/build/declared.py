# SPDX-License-Identifier: Apache-2.0
"""What definitions say they need, apart from what their Dockerfiles do.

Declarations alone give a graph, the one that hand-written batches and other engines follow; it
has edges that nobody uses and lacks edges that only a Dockerfile knows. Plans follow Dockerfiles
and compare: what a definition declares and never uses is told, once for all components to which
an overlay gave the same input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from okd_payload.build import codes
from okd_payload.build.dockerfiles import ReadDockerfile
from okd_payload.build.graph import Graph
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, ImageInput
from okd_payload.catalog.definition import Import, OtherTag
from okd_payload.catalog.names import TagImage, Unresolved, node_of, resolve_image
from okd_payload.issues import Issue

_NAMED = 3


def declared_tags(component: Component, catalog: Catalog) -> Iterator[str]:
    """The tags of the stream that ``component`` declares, one for each declaration."""
    names = [component.base, *(item.image for item in component.inputs)]
    for name in names:
        image = resolve_image(name, catalog) if name else None
        if isinstance(image, TagImage):
            yield _behind(image.tag, catalog)


def _behind(tag: str, catalog: Catalog) -> str:
    """The tag that ``tag`` is another name of, itself when it is none."""
    seen = {tag}
    while isinstance(entry := catalog.tags.get(tag), Import):
        other = entry.content.tag if isinstance(entry.content, OtherTag) else tag
        if other in seen:
            break
        seen.add(other)
        tag = other
    return tag


def declared_graph(catalog: Catalog) -> Graph:
    """The components of ``catalog`` and what they declare: no Dockerfile is read."""
    return Graph(
        {
            component.tag: tuple(sorted({*declared_tags(component, catalog)}))
            for component in catalog.components
        }
    )


class Declarations:
    """What the components of one catalog declare, and which of it nothing uses."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tags: dict[str, frozenset[str]] = {}
        self._unused: defaultdict[ImageInput, list[Component]] = defaultdict(list)

    def has(self, component: Component, node: str) -> bool:
        """Whether ``component`` declares that it needs ``node``, an image of elsewhere included."""
        names = self._tags.get(component.name)
        if names is None:
            given = {component.base, *(item.image for item in component.inputs)} - {""}
            images = [resolve_image(name, self._catalog) for name in given]
            nodes = (node_of(image) for image in images if not isinstance(image, Unresolved))
            names = frozenset(nodes)
            self._tags[component.name] = names
        return node in names

    def note_unused(
        self, component: Component, dockerfile: ReadDockerfile, nodes: Collection[str]
    ) -> None:
        """Note the inputs that ``dockerfile``, which leads to ``nodes``, does not use.

        What the stream's builders replace is given to be ignored.
        """
        replaced = self._catalog.stream.builders.replaces
        used = {operand.meaning for operand in dockerfile.operands}.union(nodes)
        for item in component.inputs:
            if not item.copies and item.image not in used and item.image not in replaced:
                self._unused[item].append(component)

    def issues(self) -> Iterator[Issue]:
        """What was noted: one issue for each input."""
        for item, components in self._unused.items():
            first = components[0]
            if len(components) == 1:
                yield codes.UNUSED_INPUT.issue(
                    f"the Dockerfile uses no alias of the input {item.image}",
                    component=first.name,
                    file=first.origin.file,
                    line=first.origin.line,
                )
            else:
                names = ", ".join(component.name for component in components[:_NAMED])
                left = len(components) - _NAMED
                more = f" and {left} more" if left > 0 else ""
                yield codes.UNUSED_INPUT.issue(
                    f"the Dockerfiles of {names}{more} use no alias of the input {item.image}"
                )
