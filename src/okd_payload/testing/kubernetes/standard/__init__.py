# SPDX-License-Identifier: Apache-2.0
"""The admission that every API server has, in its order around the plugins of tests.

Defaults of pods and service accounts and limit ranges come first; pod security and limit ranges
judge the result; quotas come last of all, when everybody else has agreed.
"""

from okd_payload.testing.kubernetes.admission import Mutating, Validating
from okd_payload.testing.kubernetes.standard.limit_ranges import check_limits, fill_limits
from okd_payload.testing.kubernetes.standard.pod_defaults import fill_pod
from okd_payload.testing.kubernetes.standard.pod_security import check_pod_security
from okd_payload.testing.kubernetes.standard.quotas import check_quotas
from okd_payload.testing.kubernetes.standard.service_accounts import name_service_account

MUTATING_FIRST: tuple[Mutating, ...] = (name_service_account, fill_limits, fill_pod)
VALIDATING_FIRST: tuple[Validating, ...] = (check_limits, check_pod_security)
VALIDATING_LAST: tuple[Validating, ...] = (check_quotas,)

__all__ = ["MUTATING_FIRST", "VALIDATING_FIRST", "VALIDATING_LAST"]
