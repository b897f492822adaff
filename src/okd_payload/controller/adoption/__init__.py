# SPDX-License-Identifier: Apache-2.0
"""Stable streams: what somebody put there becomes a release, renamed and rewritten if need be."""
