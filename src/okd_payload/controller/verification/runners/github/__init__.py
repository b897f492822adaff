# SPDX-License-Identifier: Apache-2.0
"""Workflows of GitHub, or of a forge with the same interface."""

from okd_payload.controller.verification.runners.github.runner import GithubRunner

__all__ = ["GithubRunner"]
