# SPDX-License-Identifier: Apache-2.0
"""Signing releases, and the key rings by which clusters trust the signatures."""
