# SPDX-License-Identifier: Apache-2.0
"""The text that buildah reads: the step's, and in every stage the time that programs shall write.

``SOURCE_DATE_EPOCH`` is what compilers, archivers and documentation tools take for the present
(reproducible-builds.org). An ARG gives it to RUN instructions without leaving it in the image;
the options that newer buildahs have for it do not exist in 1.28 or do something else there.
"""

from __future__ import annotations

from okd_payload.catalog.dockerfile import parse_dockerfile
from okd_payload.engines.buildah.image_config import EPOCH_ARGUMENT


def declare_epoch(text: str, *, component: str) -> str:
    """``text`` with an ARG for the time after every FROM. Raises InvalidDocument."""
    dockerfile = parse_dockerfile(text, path=f"Dockerfile of {component}")
    line = f"{dockerfile.newline}ARG {EPOCH_ARGUMENT}"
    if dockerfile.dangling_escape is not None:
        text = text[: dockerfile.dangling_escape] + text[dockerfile.dangling_escape + 1 :]
    for stage in reversed(dockerfile.stages):
        text = text[: stage.end] + line + text[stage.end :]
    return text
