# SPDX-License-Identifier: Apache-2.0
"""Building with OpenShift Builds: the cluster's own builder, driven by BuildConfigs.

``definition`` writes components as BuildConfigs; ``engine`` is the whole.
"""
