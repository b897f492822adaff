# SPDX-License-Identifier: Apache-2.0
"""Metrics for Prometheus: how streams and the controller fare, out of the records."""
