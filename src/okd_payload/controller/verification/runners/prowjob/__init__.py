# SPDX-License-Identifier: Apache-2.0
"""ProwJobs, as OpenShift's release controller makes them."""

from okd_payload.controller.verification.runners.prowjob.runner import ProwJobRunner

__all__ = ["ProwJobRunner"]
