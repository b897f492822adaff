# SPDX-License-Identifier: Apache-2.0
"""Building images on this machine with buildah.

``engine`` is the whole; ``program`` runs buildah and ``storage`` is the folder it works in;
``parents`` brings images in and ``result`` takes the new one out; ``check`` says what a machine
lacks.
"""

from okd_payload.engines.buildah.engine import BuildahEngine
from okd_payload.engines.buildah.settings import BuildahSettings, Network, Secret

__all__ = ["BuildahEngine", "BuildahSettings", "Network", "Secret"]
