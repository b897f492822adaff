# SPDX-License-Identifier: Apache-2.0
"""What a stream file says for all components, so that their own files stay short.

The branch stands once, with the exceptions beside it: the next release is one line, and not one
in each of two hundred files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from okd_payload.catalog.component import Component, Layering, Resources
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.stream import Stream
from okd_payload.source.model import GitSource

_COMMIT = re.compile(r"[0-9a-f]{40}")


class StreamDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """The values of the stream file that fill in what component files leave open."""

    branch: str = ""
    exceptions: dict[str, str | None] = {}
    """The ref of each component that does not follow the branch; None keeps its own."""
    resources: Resources = Resources()
    layering: Layering = Layering.ONE

    def gives_ref(self, definition: Definition) -> bool:
        """Whether the stream file says the ref of ``definition``, so that its own need not."""
        source = definition.component.source
        if not isinstance(source, GitSource) or is_fixed(definition):
            return False
        return self.exceptions.get(definition.component.name, self.branch) == source.ref


def choose_defaults(definitions: Sequence[Definition], *, branch: str = "") -> StreamDefaults:
    """The defaults that make the files of ``definitions`` shortest, and exceptions from them."""
    refs = {
        each.component.name: each.component.source.ref
        for each in definitions
        if isinstance(each.component.source, GitSource) and not is_fixed(each)
    }
    branch = branch or _most_common([ref for ref in refs.values() if ref])
    components = [each.component for each in definitions]
    return StreamDefaults(
        branch=branch,
        exceptions={
            name: ref or None for name, ref in sorted(refs.items()) if branch and ref != branch
        },
        resources=_common_resources(components),
        layering=Layering(_most_common([each.layering.value for each in components]) or "one"),
    )


def keep_defaults(
    stream: Stream, definitions: Sequence[Definition], *, branch: str = ""
) -> StreamDefaults:
    """The defaults of a stream file that is there; only where sources are follows the import."""
    new = choose_defaults(definitions, branch=branch)
    return msgspec.structs.replace(
        new, resources=stream.resources.to_resources(), layering=stream.layering
    )


def is_fixed(definition: Definition) -> bool:
    """Whether the ref of ``definition`` stays whatever branch the stream has."""
    source = definition.component.source
    fixed = isinstance(source, GitSource) and bool(_COMMIT.fullmatch(source.ref))
    return fixed or definition.pinned


def _common_resources(components: Sequence[Component]) -> Resources:
    """What most components have; nothing where one has nothing, as it could not say so."""
    if any(each.resources == Resources() for each in components) or not components:
        return Resources()
    counted = Counter(each.resources for each in components)
    return max(counted, key=lambda each: (counted[each], repr(each)))


def _most_common(texts: Sequence[str]) -> str:
    counted = Counter(texts)
    return max(counted, key=lambda text: (counted[text], text)) if counted else ""
