# SPDX-License-Identifier: Apache-2.0
"""What definitions need not say, because the plan finds it out.

Catalogs of other tools list for every component the names under which Dockerfiles know its
builder: one for each release, Go and system version, and one more for each new one. A few
patterns say the same for the whole stream. Nothing is dropped unless the patterns give exactly
the image that the list gave; what means different images in different components stays.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec.structs import replace

from okd_payload.catalog.component import Component, ImageInput
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.substitution import Substitution, substitute

_VERSION_STEP = re.compile(r"/[^/:]*[0-9]+\.[0-9]+(?=[/:])")
_ENOUGH = 2
"""How many components, or names, make a pattern out of what may be one component's own affair."""


def find_patterns(definitions: Sequence[Definition]) -> tuple[Substitution, ...]:
    """Patterns for the names of images that several of ``definitions`` list and agree about."""
    meanings = _common_meanings(definitions)
    rules = _generalise(meanings, _any_version) + _generalise(meanings, _any_tag)
    covered = {alias for alias in meanings if substitute(alias, rules)}
    single = [
        Substitution(glob=alias, image=image)
        for alias, image in sorted(meanings.items())
        if alias not in covered
    ]
    found = (*single, *rules)
    wrong = {
        rule.pattern
        for alias, image in meanings.items()
        if (rule := _rule_of(alias, found)) and rule.image != image
    }
    return tuple(rule for rule in found if rule.pattern not in wrong)


def drop_computed(
    definitions: Iterable[Definition], rules: Sequence[Substitution], *, tags: Collection[str]
) -> tuple[Definition, ...]:
    """``definitions`` without the inputs that ``rules`` and ``tags`` of the stream make plain.

    An alias is computed when it means the image of its input anyway. A short name beside it (a
    stage's, as OpenShift CI lists both) goes with it: no Dockerfile needs two names for one image.
    """

    def meaning(name: str) -> str:
        found = None if name in tags else substitute(name, rules)
        return found.image if found else name

    def simplify(item: ImageInput) -> ImageInput | None:
        left = [alias for alias in item.aliases if meaning(alias) != meaning(item.image)]
        if len(left) == len(item.aliases):
            return item
        aliases = left if any(map(_is_reference, left)) else ()
        if not aliases and not item.copies:
            return None
        return replace(item, aliases=tuple(aliases))

    def simplify_all(component: Component) -> Component:
        inputs = (simplify(item) for item in component.inputs)
        return replace(component, inputs=tuple(item for item in inputs if item is not None))

    return tuple(replace(each, component=simplify_all(each.component)) for each in definitions)


def _common_meanings(definitions: Iterable[Definition]) -> dict[str, str]:
    """The image of every alias that is a reference, of several components, with one meaning."""
    meanings = defaultdict(set)
    users: Counter[str] = Counter()
    for definition in definitions:
        own = {
            alias: item.image
            for item in definition.component.inputs
            for alias in item.aliases
            if _is_reference(alias) and alias != item.image
        }
        users.update(own.keys())
        for alias, image in own.items():
            meanings[alias].add(image)
    return {
        alias: images.pop()
        for alias, images in meanings.items()
        if len(images) == 1 and users[alias] >= _ENOUGH
    }


def _generalise(meanings: dict[str, str], widen: Callable[[str], str]) -> list[Substitution]:
    """A rule for each pattern that covers several names, all of them of one image."""
    groups = defaultdict(list)
    for alias in meanings:
        if pattern := widen(alias):
            groups[pattern].append(alias)
    found = []
    for pattern, aliases in sorted(groups.items()):
        images = {meanings[alias] for alias in aliases}
        if len(aliases) >= _ENOUGH and len(images) == 1:
            found.append(Substitution(glob=pattern, image=images.pop()))
    return found


def _any_version(alias: str) -> str:
    """``alias`` of any version, where a folder of its path is one."""
    path, colon, tag = alias.rpartition(":")
    widened = _VERSION_STEP.sub("/*", f"{path}{colon}")
    return f"{widened}{tag}" if "*" in widened else ""


def _any_tag(alias: str) -> str:
    """Every tag of the repository of ``alias``, unless the repository is one release's."""
    path, _, _ = alias.rpartition(":")
    return "" if _any_version(alias) else f"{path}:*"


def _rule_of(alias: str, rules: Iterable[Substitution]) -> Substitution | None:
    found = substitute(alias, rules)
    return found.rule if found else None


def _is_reference(alias: str) -> bool:
    """Whether ``alias`` can be the reference of an image elsewhere, and not just a stage."""
    path, colon, tag = alias.rpartition(":")
    return "/" in path and bool(colon) and "/" not in tag
