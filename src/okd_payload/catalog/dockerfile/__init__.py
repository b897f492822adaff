# SPDX-License-Identifier: Apache-2.0
"""Dockerfiles: read, evaluated and rewritten, without running any builder.

``parse_dockerfile`` gives what is written, ``evaluate`` what it refers to, ``rewrite`` what a
component makes of it.
"""

from okd_payload.catalog.dockerfile.arguments import (
    declared_arguments,
    select_arguments,
    unconsumed_arguments,
)
from okd_payload.catalog.dockerfile.evaluation import (
    Evaluation,
    Operand,
    OperandKind,
    evaluate,
    platform_arguments,
)
from okd_payload.catalog.dockerfile.model import Dockerfile, Instruction, Stage
from okd_payload.catalog.dockerfile.parser import decode_dockerfile, parse_dockerfile
from okd_payload.catalog.dockerfile.rewrite import Rewritten, rewrite

__all__ = [
    "Dockerfile",
    "Evaluation",
    "Instruction",
    "Operand",
    "OperandKind",
    "Rewritten",
    "Stage",
    "declared_arguments",
    "decode_dockerfile",
    "evaluate",
    "parse_dockerfile",
    "platform_arguments",
    "rewrite",
    "select_arguments",
    "unconsumed_arguments",
]
