# SPDX-License-Identifier: Apache-2.0
"""A program of this machine: apart from us, bounded, and still there after a restart."""

from okd_payload.controller.verification.runners.command.runner import CommandRunner

__all__ = ["CommandRunner"]
