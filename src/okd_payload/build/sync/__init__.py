# SPDX-License-Identifier: Apache-2.0
"""Keeping a catalog in step: with the branches of its sources, and with a release."""
