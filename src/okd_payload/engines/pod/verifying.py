# SPDX-License-Identifier: Apache-2.0
"""Believing a pod only what the repository confirms.

A pod says which image it made, for which key and in which format. It may be of another version,
mean another registry, or not be our image at all; so the image is looked at where the next build
will look for it, and counts only with the key that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from okd_payload.build.engine import BuildStep
from okd_payload.build.images import StreamImages
from okd_payload.build.key import KEY_LABEL
from okd_payload.engines.pod import outcome
from okd_payload.engines.pod.building import key_of_step, wrong_format
from okd_payload.errors import BuildError, InvalidReference, MissingTool, NotFound
from okd_payload.oci.digest import Digest, parse_digest
from okd_payload.oci.image import read_image

_OTHER_IMAGE = "let pods run the image of okd-payload, with --image or OKD_PAYLOAD_IMAGE"


async def verify_image(
    results: Mapping[str, str], step: BuildStep, images: StreamImages, *, format_version: str
) -> Digest | None:
    """The digest among the ``results`` of a pod that ended well; None when its image is gone.

    Raises MissingTool when the pod ran another tool or format, and BuildError when the image is
    another one than was asked for.
    """
    said = results.get(outcome.FORMAT_RESULT, "")
    if outcome.DIGEST_RESULT not in results:
        raise MissingTool(
            f"the pod that built {step.component} ended well, and told no digest",
            hint=_OTHER_IMAGE,
        )
    if said != format_version:
        raise wrong_format(format_version, said)
    try:
        digest = parse_digest(results[outcome.DIGEST_RESULT])
        image = await read_image(images.repository, digest, platform=images.platform)
    except InvalidReference as error:
        raise BuildError(
            f"{step.component}: its pod told no digest: {error.message}", hint=_OTHER_IMAGE
        ) from error
    except NotFound:
        return None
    key = key_of_step(step)
    if image.config.labels.get(KEY_LABEL) != key:
        raise BuildError(
            f"{step.component}: {digest} in {images.repository.name} was not built from what was "
            "asked for",
            hint="two programs that call themselves the same build there; use one image for pods",
        )
    return digest
