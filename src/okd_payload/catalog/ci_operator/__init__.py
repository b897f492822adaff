# SPDX-License-Identifier: Apache-2.0
"""Configurations of OpenShift CI (``ci-operator/config``), as components of a stream."""
