# SPDX-License-Identifier: Apache-2.0
"""Payloads made by Jobs of a cluster: what a pod is told, its object, how it stands, what came."""
