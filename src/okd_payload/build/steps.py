# SPDX-License-Identifier: Apache-2.0
"""From a planned component to a complete build step.

A step is complete once all parents are known by digest. The Dockerfile is rewritten in the
order of a BuildConfig build (``okd-pipelines.md`` 1.4, item 5), and the commit becomes the
labels that release tools read (item 7).
"""

from __future__ import annotations

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.build.key import BuildInputs, inputs_of, key_labels, key_of
from okd_payload.catalog.component import Argument, Component
from okd_payload.source.model import Commit


class PreparedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step with its key; ``step`` carries the key among its labels."""

    step: BuildStep
    inputs: BuildInputs
    key: str


def prepare(step: BuildStep, *, format_version: str) -> PreparedStep:
    """``step`` with its key, computed for an engine with ``format_version``."""
    inputs = inputs_of(step, format_version=format_version)
    labelled = msgspec.structs.replace(step, labels=(*step.labels, *key_labels(inputs)))
    return PreparedStep(step=labelled, inputs=inputs, key=key_of(inputs))


def build_environment(commit: Commit | None) -> tuple[Argument, ...]:
    """What a BuildConfig build tells the image about its source, as environment."""
    if commit is None:
        return ()
    named = {
        "OPENSHIFT_BUILD_SOURCE": commit.location,
        "OPENSHIFT_BUILD_REFERENCE": commit.ref,
        "OPENSHIFT_BUILD_COMMIT": commit.id,
    }
    return tuple(Argument(name, value) for name, value in named.items() if value)


def source_labels(component: Component, commit: Commit | None) -> tuple[Argument, ...]:
    """The labels by which release tools find the source of an image."""
    if commit is None:
        return ()
    named = {
        "io.openshift.build.commit.author": commit.author,
        "io.openshift.build.commit.date": commit.date,
        "io.openshift.build.commit.id": commit.id,
        "io.openshift.build.commit.message": commit.message,
        "io.openshift.build.commit.ref": commit.ref,
        "io.openshift.build.source-context-dir": component.context_directory,
        "io.openshift.build.source-location": commit.location,
    }
    return tuple(Argument(name, value) for name, value in named.items() if value)
