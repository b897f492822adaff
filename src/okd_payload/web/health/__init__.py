# SPDX-License-Identifier: Apache-2.0
"""Whether the process lives, and whether it can do its work: for probes."""
