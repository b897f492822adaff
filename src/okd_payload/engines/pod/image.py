# SPDX-License-Identifier: Apache-2.0
"""Which image pods run: the tool's own, of this very version.

An image of another version may build other bytes from the same step, and then refuses to; so
the default names the version. Clusters that mirror it, or cannot reach the public one, name
theirs by option or environment.
"""

from __future__ import annotations

import os

from okd_payload import __version__
from okd_payload.oci.reference import parse_reference

IMAGE_VARIABLE = "OKD_PAYLOAD_IMAGE"
DEFAULT_IMAGE = f"quay.io/okd/okd-payload:{__version__}"


def choose_image(option: str = "") -> str:
    """The image that ``option`` names, else the environment, else the public one.

    Raises InvalidReference.
    """
    image = option or os.environ.get(IMAGE_VARIABLE, "") or DEFAULT_IMAGE
    parse_reference(image)
    return image
