# SPDX-License-Identifier: Apache-2.0
"""Tekton: the engine that runs a plan as TaskRuns, and what is rendered and deployed for it."""
