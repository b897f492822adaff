# SPDX-License-Identifier: Apache-2.0
"""What the API server asks of its own kinds beyond their schemas, as far as builds use them."""

from okd_payload.testing.kubernetes.rules.kinds import (
    change_problems,
    decoding_problem,
    rule_problems,
    written_out,
)

__all__ = ["change_problems", "decoding_problem", "rule_problems", "written_out"]
