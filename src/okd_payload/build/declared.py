# SPDX-License-Identifier: Apache-2.0
"""What definitions say they need, apart from what their Dockerfiles do.

Declarations name inputs that nobody uses and lack those that only a Dockerfile knows, so no plan
follows them. Plans follow Dockerfiles and compare: what a definition declares and never uses is
told, once for all components to which an overlay gave the same input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from okd_payload.build import codes
from okd_payload.build.dockerfiles import ReadDockerfile
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, ImageInput
from okd_payload.catalog.names import Unresolved, node_of, resolve_image
from okd_payload.issues import Issue

_NAMED = 3


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
