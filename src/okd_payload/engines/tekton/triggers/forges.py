# SPDX-License-Identifier: Apache-2.0
"""What GitHub and GitLab say in their events, and where.

Every path here is one that the forge documents for its webhooks, and the tests hold them against
events of that shape. A forge is told by the host: one of our own has the name in it, or is said
with its host.
"""

from __future__ import annotations

import msgspec


class EventShape(msgspec.Struct, frozen=True, kw_only=True):
    """Where one kind of event says what, as expressions of CEL on ``body``."""

    name: str
    types: tuple[str, ...]
    """As the interceptor of the forge knows them."""
    condition: str
    """What makes the event one that is built."""
    repository: str
    branch: str
    """The full name of the branch that it is about, or that it is proposed for."""
    default_branch: str
    """The full name of the repository's default branch."""
    commit: str


class Forge(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of forge, and the shapes of its events."""

    name: str
    interceptor: str
    """The ClusterInterceptor of Tekton Triggers that verifies its events."""
    host: str
    push: EventShape
    proposal: EventShape

    def path_of(self, url: str) -> str:
        """The path by which events name the repository at ``url``; empty when it is elsewhere."""
        _, scheme, rest = url.partition("://")
        if not scheme:  # as in git@host:org/repo
            rest = url.replace(":", "/", 1)
        host, _, path = rest.partition("/")
        host = host.rpartition("@")[2].partition(":")[0]
        if self.host != host and self.name not in host.split("."):
            return ""
        return path.strip("/").removesuffix(".git")


_COMMIT = "'^[0-9a-f]{40}$'"
_NO_COMMIT = "'" + "0" * 40 + "'"

GITHUB = Forge(
    name="github",
    interceptor="github",
    host="github.com",
    push=EventShape(
        name="push",
        types=("push",),
        condition="body.deleted == false",
        repository="body.repository.full_name",
        branch="body.ref",
        default_branch="'refs/heads/' + body.repository.default_branch",
        commit="body.after",
    ),
    proposal=EventShape(
        name="pull-request",
        types=("pull_request",),
        condition="body.action in ['opened', 'reopened', 'synchronize']",
        repository="body.repository.full_name",
        branch="'refs/heads/' + body.pull_request.base.ref",
        default_branch="'refs/heads/' + body.repository.default_branch",
        commit="body.pull_request.head.sha",
    ),
)
GITLAB = Forge(
    name="gitlab",
    interceptor="gitlab",
    host="gitlab.com",
    push=EventShape(
        name="push",
        types=("Push Hook",),
        condition=f"body.after != {_NO_COMMIT}",
        repository="body.project.path_with_namespace",
        branch="body.ref",
        default_branch="'refs/heads/' + body.project.default_branch",
        commit="body.after",
    ),
    proposal=EventShape(
        name="pull-request",
        types=("Merge Request Hook",),
        # An update without an older revision changed a title or a label, and no code.
        condition="(body.object_attributes.action in ['open', 'reopen'] || "
        "(body.object_attributes.action == 'update' && has(body.object_attributes.oldrev)))",
        repository="body.project.path_with_namespace",
        branch="'refs/heads/' + body.object_attributes.target_branch",
        default_branch="'refs/heads/' + body.project.default_branch",
        commit="body.object_attributes.last_commit.id",
    ),
)
FORGES = {forge.name: forge for forge in (GITHUB, GITLAB)}


def is_commit_expression(shape: EventShape) -> str:
    """The expression that is true when the event names a whole commit and nothing else."""
    return f"{shape.commit}.matches({_COMMIT})"
