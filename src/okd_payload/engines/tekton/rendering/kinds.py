# SPDX-License-Identifier: Apache-2.0
"""What each Task does: its command, what it takes, and what it tells.

Parameters of Tasks are what the options of ``okd-payload step`` are. Values of parameters come
behind all options, where none of them is taken for one.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.catalog.component import Resources
from okd_payload.engines.pod.step_results import (
    COMPONENT_RESULTS,
    RELEASE_RESULTS,
    SNAPSHOT_RESULTS,
)
from okd_payload.engines.tekton.objects import Parameter

PREFIX = "okd-payload-"
COMPONENT_TASK = PREFIX + "component"
CREDENTIALS, CACHE, REPORTS = "credentials", "cache", "reports"
_NO_MORE_OPTIONS = "--"
"""Before values of parameters: none of them is ever taken for an option."""
_SNAPSHOT = Parameter(name="snapshot", description="The snapshot, REPOSITORY@DIGEST.")


class TaskKind(msgspec.Struct, frozen=True, kw_only=True):
    """One Task before it is written."""

    name: str
    description: str
    args: tuple[str, ...]
    params: tuple[Parameter, ...] = ()
    results: Mapping[str, str] = {}
    resources: Resources = Resources()
    builds: bool = False
    writes_reports: bool = False


def _text(name: str, description: str, default: str = "") -> Parameter:
    return Parameter(name=name, description=description, default=default)


COMPONENTS = Parameter(
    name="components",
    type="array",
    description="Names of components; one empty name means all of them.",
    default=("",),
)


def _snapshot() -> TaskKind:
    return TaskKind(
        name=PREFIX + "snapshot",
        description="Freezes a stream: every branch becomes a commit, every tag a digest. "
        "All that the other tasks take is stored as one artifact, by its digest.",
        args=(
            *("step", "snapshot"),
            *(
                f"--{option}=$(params.{option})"
                for option in (
                    *("path", "variant", "branch", "release-name"),
                    *("content", "releases", "given", "expect"),
                )
            ),
            _NO_MORE_OPTIONS,
            "$(params.url)@$(params.revision)",
            "$(params.components[*])",
        ),
        params=(
            _text("url", "The git repository of the stream."),
            _text("revision", "Its branch, tag or commit.", "main"),
            _text("path", "The folder of the stream in it."),
            _text("variant", "Which stream of several."),
            _text("branch", "The branch of all components that do not pin one."),
            _text("release-name", "The name of the release."),
            _text("content", "The repository of the component images."),
            _text("releases", "The repository of the release images."),
            _text("given", "A snapshot to take instead of making one."),
            _text("expect", "The graph that the Pipeline was rendered from."),
            COMPONENTS,
        ),
        results=SNAPSHOT_RESULTS,
    )


def _imports() -> TaskKind:
    return TaskKind(
        name=PREFIX + "imports",
        description="Copies the images of elsewhere that the stream needs.",
        args=("step", "imports", "--snapshot=$(params.snapshot)"),
        params=(_SNAPSHOT,),
    )


def component_kind(name: str, needed: Resources) -> TaskKind:
    """The Task ``name``, which makes components that ask for ``needed``."""
    return TaskKind(
        name=name,
        description="Makes the image of one component, unless one with its build key is there.",
        args=(
            "step",
            "component",
            "--snapshot=$(params.snapshot)",
            _NO_MORE_OPTIONS,
            "$(params.name)",
        ),
        params=(Parameter(name="name", description="The component."), _SNAPSHOT),
        results=COMPONENT_RESULTS,
        resources=needed,
        builds=True,
    )


def _release() -> TaskKind:
    return TaskKind(
        name="new-release",
        description="Assembles the release of a snapshot, checks it and pushes it.",
        args=(
            *("step", "release", "--snapshot=$(params.snapshot)"),
            "--content=$(params.release-mirror-location)",
            "--to=$(params.release-image)",
            "--release-name=$(params.release-image-name)",
            _NO_MORE_OPTIONS,
            "$(params.components[*])",
        ),
        params=(
            _SNAPSHOT,
            _text(
                "release-mirror-location",
                "The repository of the component images; empty for that of the snapshot.",
            ),
            _text(
                "release-image",
                "Where the release is pushed, with or without a tag; empty for the repository "
                "of the snapshot.",
            ),
            _text("release-image-name", "Its name; empty for that of the snapshot."),
            COMPONENTS,
        ),
        results=RELEASE_RESULTS,
    )


def _verify() -> TaskKind:
    return TaskKind(
        name=PREFIX + "verify",
        description="Looks at a release as a cluster does, and whether all of it can be pulled.",
        args=(
            "step",
            "verify",
            "--snapshot=$(params.snapshot)",
            _NO_MORE_OPTIONS,
            "$(params.release)",
        ),
        params=(_SNAPSHOT, Parameter(name="release", description="REPOSITORY@DIGEST.")),
    )


def _report() -> TaskKind:
    return TaskKind(
        name=PREFIX + "report",
        description="Tells what became of every component, also when some failed.",
        args=(
            *("step", "report", "--snapshot=$(params.snapshot)"),
            *("--run=$(params.run)", f"--to=$(workspaces.{REPORTS}.path)"),
            _NO_MORE_OPTIONS,
            "$(params.statuses[*])",
        ),
        params=(
            _SNAPSHOT,
            _text("run", "The name of the run.", "run"),
            Parameter(
                name="statuses",
                type="array",
                description="NAME=STATUS of every task.",
                default=("",),
            ),
        ),
        writes_reports=True,
    )


def _batch() -> TaskKind:
    return TaskKind(
        name="batch-build",
        description="Builds some components and what they stand on, in the order that they "
        "need. One that fails stops only what stands on it; what is there is not built again.",
        args=(
            *("step", "batch", "--snapshot=$(params.snapshot)"),
            "--jobs=$(params.max_concurrent_builds)",
            _NO_MORE_OPTIONS,
            "$(params.build_configs[*])",
        ),
        params=(
            Parameter(name="build_configs", type="array", description="The components."),
            _text("max_concurrent_builds", "How many builds at a time.", "8"),
            _SNAPSHOT,
        ),
        builds=True,
    )


FIRST_KINDS = (_snapshot(), _imports())
LAST_KINDS = (_release(), _verify(), _report(), _batch())
"""All Tasks but those that make components, in the order in which they are told."""
