# SPDX-License-Identifier: Apache-2.0
"""Builds by BuildConfigs that are not ours, held against the step that was planned.

Such a BuildConfig says itself what it stands on. The cluster has resolved that to digests when
the build exists; where they are not those of the step, its image would be kept under a key that
promises another one, so the build is not wanted.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.build.engine import BuildStep
from okd_payload.engines.openshift.objects import Build, ObjectReference
from okd_payload.errors import BuildError


def check_parents(build: Build, step: BuildStep) -> None:
    """Raise BuildError when ``build`` stands on other images than ``step``."""
    for what, meant, given in _compared(build, step):
        if given and given not in meant:
            raise BuildError(
                f"the BuildConfig of {step.component} takes {given} as {what}, and the plan "
                f"stands on {', '.join(sorted(meant)) or 'no such image'}",
                hint="let its image stream have what the stream's tags have, or leave --existing "
                "away",
            )
    commit = step.commit.id if step.commit else ""
    revision = build.spec.revision
    built = revision.git.commit if revision and revision.git else ""
    if commit != built:
        raise BuildError(
            f"the build of {step.component} takes commit {built or 'of its own choice'}, and the "
            f"plan says {commit or 'none'}",
            hint="let the BuildConfig have the git source of the component",
        )


def _compared(build: Build, step: BuildStep) -> Iterator[tuple[str, set[str], str]]:
    """What an image is for, which images are meant, and which one the cluster takes."""
    strategy = build.spec.strategy.docker_strategy
    if strategy is not None and strategy.base is not None:
        yield "its base", set(step.images.values()), _digest_of(strategy.base)
    copied = {str(files.image) for files in step.copied_files}
    for source in build.spec.source.images:
        for alias in source.aliases:
            if alias in step.images:
                yield alias, {step.images[alias]}, _digest_of(source.image)
        if source.paths:
            yield "an image that files are copied from", copied, _digest_of(source.image)


def _digest_of(reference: ObjectReference) -> str:
    return reference.name.partition("@")[2]
