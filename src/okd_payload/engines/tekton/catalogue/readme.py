# SPDX-License-Identifier: Apache-2.0
"""The page of an entry, written from the entry itself, so that it never tells anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from okd_payload.engines.pod.objects import ContainerSecurity
from okd_payload.engines.tekton.catalogue.entry import HOME, OLDEST_PIPELINES, Entry
from okd_payload.engines.tekton.objects import Parameter
from okd_payload.engines.tekton.rendering.objects import Task

_MANY_RESULTS = 20


def write_readme(entry: Entry) -> str:
    """The page in Markdown."""
    return "\n".join([*_lines(entry), ""])


def write_overview(entries: Sequence[Entry]) -> str:
    """The page of the whole catalogue."""
    rows = [
        (f"[{each.name}]({each.folder}/README.md)", each.kind, each.version, each.description)
        for each in entries
    ]
    lines = [
        "# Tasks and Pipelines of okd-payload",
        "",
        "Written by `okd-payload render catalogue`; change nothing here.",
        *_table(("name", "kind", "version", "what it does"), rows),
        "",
    ]
    return "\n".join(lines)


def _lines(entry: Entry) -> Iterator[str]:
    yield f"# {entry.title}"
    yield ""
    yield entry.description
    yield ""
    yield f"It needs Tekton Pipelines {OLDEST_PIPELINES} or newer, and a node of "
    yield f"{' or '.join(entry.platforms)}. What it does is told at <{HOME}>."
    yield ""
    yield "## Install"
    yield ""
    yield "```console"
    yield f"$ kubectl apply -f {entry.name}.yaml"
    yield "```"
    yield from _section(
        "Parameters",
        ("name", "type", "default", "meaning"),
        (
            (f"`{each.name}`", each.type, _default(each), each.description)
            for each in entry.parameters
        ),
    )
    yield from _section(
        "Workspaces",
        ("name", "needed", "meaning"),
        (
            (f"`{each.name}`", "no" if each.optional else "yes", each.description)
            for each in entry.workspaces
        ),
    )
    results = entry.results[:_MANY_RESULTS]
    yield from _section(
        "Results",
        ("name", "meaning"),
        ((f"`{each.name}`", each.description or f"`{each.value}`") for each in results),
    )
    if len(entry.results) > len(results):
        yield ""
        yield f"And {len(entry.results) - len(results)} more, one digest for each component."
    if isinstance(entry.manifest, Task):
        yield from _privileges(entry.manifest)


def _privileges(task: Task) -> Iterator[str]:
    yield ""
    yield "## Privileges"
    yield ""
    for step in task.spec.steps:
        needs = step.compute_resources
        yield f"Step `{step.name}`: {_rights(step.security_context)}"
        yield (
            f"It asks for {needs.requests.cpu} processors and {needs.requests.memory} of memory, "
            f"and may use {needs.limits.cpu} and {needs.limits.memory}."
        )


def _rights(security: ContainerSecurity) -> str:
    if security.privileged:
        return "a privileged container."
    added = security.capabilities.add if security.capabilities else ()
    if added:
        who = "root" if security.run_as_user == 0 else "an ordinary user"
        return f"{who} with the capabilities {', '.join(added)}, and no others."
    return "an ordinary user with no capability; every namespace admits it."


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return "must be given"
    if isinstance(parameter.default, str):
        return f"`{parameter.default}`" if parameter.default else "empty"
    return ", ".join(f"`{each}`" for each in parameter.default if each) or "empty"


def _section(heading: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    written = list(rows)
    if written:
        yield ""
        yield f"## {heading}"
        yield from _table(columns, written)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        cells = (" ".join(cell.replace("|", "\\|").split()) for cell in row)
        yield f"| {' | '.join(cells)} |"
