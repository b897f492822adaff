# SPDX-License-Identifier: Apache-2.0
"""What ``deploy`` shows: the differences before, the outcome, and what to do next."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from okd_payload.catalog.catalog import Catalog
from okd_payload.cli.issues import count_of
from okd_payload.cli.output import escape_controls
from okd_payload.cli.settings import Settings
from okd_payload.engines.manifests import (
    TextFile,
    make_kustomization,
    write_documents,
    write_folder,
)
from okd_payload.engines.pod.accounts import BUILDER
from okd_payload.engines.tekton.deploying.changes import Action, DeploymentChanges
from okd_payload.engines.tekton.deploying.objects import DesiredState
from okd_payload.engines.tekton.deploying.settings import DeploymentSettings
from okd_payload.errors import InputError, Interrupted

_DONE = {
    Action.CREATE: "created",
    Action.CHANGE: "changed",
    Action.REMOVE: "removed",
    Action.KEEP: "unchanged",
}
_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def print_changes(changes: DeploymentChanges, settings: Settings) -> None:
    """Print the difference of each object that would change, as ``diff`` writes it."""
    for change in changes.changes:
        if change.action is Action.KEEP:
            continue
        for line in change.difference.splitlines():
            text = escape_controls(line)
            color = None if line.startswith(("+++", "---")) else _COLORS.get(line[:1])
            click.echo(click.style(text, fg=color), color=settings.colored)


def print_outcome(changes: DeploymentChanges, *, done: bool) -> None:
    """Print what became, or would become, of each kind of object."""
    if changes.is_nothing:
        click.echo(f"namespace {changes.namespace}: nothing changed")
        return
    counts = [
        f"{len(changes.of(action))} {word if done else action.value}"
        for action, word in _DONE.items()
        if changes.of(action)
    ]
    click.echo(f"namespace {changes.namespace}: {', '.join(counts)}")


def ask(changes: DeploymentChanges, *, yes: bool) -> None:
    """Let the user say whether to go on. Raises InputError where nobody can, and Interrupted."""
    if yes:
        return
    number = sum(each.action is not Action.KEEP for each in changes.changes)
    if not sys.stdin.isatty():
        raise InputError(
            f"{count_of(number, 'object')} of namespace {changes.namespace} would change, and "
            "nobody is here to be asked",
            hint="--yes changes them without asking, --diff-only only shows them",
        )
    question = f"change {count_of(number, 'object')} of namespace {changes.namespace}?"
    if not click.confirm(question, err=True):
        raise Interrupted("nothing was changed")


def print_next_steps(deployment: DeploymentSettings, catalog: Catalog) -> None:
    """Print the command that builds the stream in the namespace, on standard error."""
    tool = deployment.tool
    words = [
        *("okd-payload", "build", catalog.path, "--engine", "tekton"),
        *("--namespace", deployment.namespace, "--service-account", BUILDER),
        *("--repository", deployment.repository, "--image", tool.image),
        *("--pod-security", tool.profile.value),
        *(("--credentials", tool.credentials) if tool.credentials else ()),
        *(("--git-credentials", tool.git_credentials) if tool.git_credentials else ()),
        *(("--trust", tool.trust) if tool.trust else ()),
        *(word for host in tool.plain_http for word in ("--plain-http", host)),
    ]
    click.echo(f"build it there with:\n  {shlex.join(words)}", err=True)


def write_objects(desired: DesiredState, folder: Path | None) -> None:
    """Print the objects, or write them into ``folder``, one file for each, in their order."""
    if folder is None:
        click.echo(write_documents(desired.manifests), nl=False)
        return
    files = [
        TextFile(f"{each.kind.lower()}-{each.metadata.name}.yaml", write_documents([each]))
        for each in desired.manifests
    ]
    kustomization = make_kustomization(resources=tuple(file.path for file in files))
    files.append(TextFile("kustomization.yaml", write_documents([kustomization])))
    for path in write_folder(files, folder):
        click.echo(str(folder / path))
