# SPDX-License-Identifier: Apache-2.0
"""Build arguments that overlays lose, and names that mean two things.

BuildConfigs have no merge keys that kustomize knows, so a patch that has a list replaces the whole
list, and what only the definition said is gone without a word. Names are compared over all
definitions, because an overlay sets a name for many of them at once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from okd_payload.catalog.component import Argument
from okd_payload.catalog.kustomize import ReplacedList
from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.subject import Definition, Subject, View, each_view
from okd_payload.documents import FieldPath
from okd_payload.issues import Issue

_WORDS = re.compile(r"[\w./=-]+(?: [\w./=-]+)*")
_COMMAS = re.compile(r"[\w. /=-]+(?:,[\w. /=-]+)+")
_NAMED = 4


@each_view
def check_replaced_lists(subject: Subject, view: View) -> Iterator[Issue]:
    """What definitions have and lists that replace theirs do not."""
    del subject
    for definition in view.definitions:
        rendered = definition.rendered
        if rendered is None or definition.document is None:
            continue
        last: dict[FieldPath, ReplacedList] = {each.field: each for each in rendered.replaced_lists}
        for field, replaced in last.items():
            before = _value_at(definition.document.value, field)
            after = _value_at(rendered.document.value, field)
            lost = list(_lost(before, after))
            if lost:
                yield codes.LOST_BY_PATCH.issue(
                    f"{view.name} replaces {'.'.join(map(str, field))} whole: {', '.join(lost)}",
                    component=definition.name,
                    file=replaced.patch.file,
                    line=replaced.patch.line,
                    hint=f"{definition.component.origin.file} has it: repeat it in a patch for it "
                    "alone, or let a stream file merge arguments by name",
                )


@each_view
def check_meanings(subject: Subject, view: View) -> Iterator[Issue]:
    """Arguments that are a list with commas in some definitions and plain words in others.

    Whoever sets such a name for all definitions breaks some of them.
    """
    del subject
    given: dict[str, list[tuple[Definition, int, Argument]]] = defaultdict(list)
    for definition in view.definitions:
        for number, argument in enumerate(definition.written.build_arguments):
            given[argument.name].append((definition, number, argument))
    for name, uses in given.items():
        lists = [each for each in uses if _COMMAS.fullmatch(each[2].value)]
        words = [each for each in uses if _WORDS.fullmatch(each[2].value)]
        items = {item for _, _, each in lists for item in re.split("[, ]", each.value)}
        if items & {word for _, _, each in words for word in each.value.split()}:
            continue
        rare, common = sorted((lists, words), key=len)
        for definition, number, argument in rare:
            if not common:
                break
            others = dict.fromkeys(f"{each.name} ({other.value})" for each, _, other in common)
            yield definition.issue(
                codes.AMBIGUOUS_ARGUMENT,
                f"{name} is {argument.value} here, and something else in "
                f"{', '.join([*others][:_NAMED])}{' and others' if len(others) > _NAMED else ''}",
                ("spec", "strategy", "dockerStrategy", "buildArgs", number),
                hint="never set this name for all definitions; rename one of the two",
            )


def _lost(before: Any, after: Any) -> Iterator[str]:
    """What of the list ``before`` is not in ``after``: items, and words of items that stay."""
    if not isinstance(before, list):
        return
    kept = after if isinstance(after, list) else []
    named = {item["name"]: item for item in kept if isinstance(item, dict) and "name" in item}
    for item in before:
        if item in kept:
            continue
        name = item.get("name") if isinstance(item, dict) else None
        if name is None:
            yield f"{item} is lost"
        elif name not in named:
            yield f"{name}={item.get('value', '')} is lost"
        else:
            words = str(item.get("value", "")).split()
            new = str(named[name].get("value", "")).split()
            if len(words) > len(new):
                yield f"{name} is {' '.join(new) or 'empty'} and was {' '.join(words)}"


def _value_at(value: Any, field: FieldPath) -> Any:
    for step in field:
        value = value.get(step) if isinstance(value, dict) else None
    return value
