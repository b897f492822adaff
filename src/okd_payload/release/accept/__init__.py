# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster that runs one release would take another, and in which words it would not."""
