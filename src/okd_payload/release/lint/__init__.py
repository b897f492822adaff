# SPDX-License-Identifier: Apache-2.0
"""Checking releases: everything that a cluster would reject or misread, all at once."""
