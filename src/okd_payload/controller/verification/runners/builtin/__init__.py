# SPDX-License-Identifier: Apache-2.0
"""Checks of ours, in this process: whether a release is sound, whole, taken and able to start."""

from okd_payload.controller.verification.runners.builtin.runner import BuiltinRunner

__all__ = ["BuiltinRunner"]
