# SPDX-License-Identifier: Apache-2.0
"""A program in a container image: with buildah on this machine, or as a pod of a cluster."""

from okd_payload.controller.verification.runners.container.runner import ContainerRunner

__all__ = ["ContainerRunner"]
