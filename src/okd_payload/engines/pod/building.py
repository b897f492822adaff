# SPDX-License-Identifier: Apache-2.0
"""Building one step where nobody but the pod itself is: found or built, and tagged by its key.

A pod may be started twice for one build: clusters do that when a node is lost. So what is there
already is taken, and the image is tagged by its key as soon as it is whole; then even those who
have forgotten that they asked for it find it. The format is compared first: under a key of one
format there must never be an image of another.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload import __version__
from okd_payload.build.engine import BuildStep, Engine
from okd_payload.build.images import StreamImages
from okd_payload.build.key import KEY_LABEL, key_tag, read_inputs
from okd_payload.errors import InputError, MissingTool
from okd_payload.oci.digest import Digest


class BuiltStep(msgspec.Struct, frozen=True):
    """The image of a step, and whether it was there before."""

    digest: Digest
    reused: bool


def key_of_step(step: BuildStep) -> str:
    """The build key of a prepared step, which carries it as a label. Raises InputError."""
    for label in step.labels:
        if label.name == KEY_LABEL:
            return label.value
    raise InputError(
        f"the step of {step.component} has no build key", hint="prepare it before it is sent"
    )


async def build_step(
    step: BuildStep, *, engine: Engine, images: StreamImages, log: Path, again: bool = False
) -> BuiltStep:
    """The image of ``step`` in the repository of ``images``; with ``again``, built in any case.

    Raises MissingTool when this engine builds in another format than the step was made for, and
    whatever the engine raises.
    """
    key = key_of_step(step)
    _check_format(step, engine.format_version)
    found = None if again else await images.find(key)
    if found is not None:
        return BuiltStep(found.digest, reused=True)
    digest = await engine.build(step, log=log)
    await images.publish(digest, key_tag(key))
    return BuiltStep(digest, reused=False)


def _check_format(step: BuildStep, present: str) -> None:
    inputs = read_inputs({label.name: label.value for label in step.labels})
    wanted = inputs.engine if inputs is not None else ""
    if wanted != present:
        raise wrong_format(wanted, present)


def wrong_format(wanted: str, present: str) -> MissingTool:
    """The error for a pod that builds in the format ``present`` where ``wanted`` was meant."""
    return MissingTool(
        f"the image of the pods builds in the format {present or 'of another version'}, and this "
        f"build needs {wanted}",
        hint=f"let pods run the image of okd-payload {__version__} for the same processor, with "
        "--image or OKD_PAYLOAD_IMAGE; or build with --detach, which plans in the cluster too",
    )
