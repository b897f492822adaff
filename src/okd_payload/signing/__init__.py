# SPDX-License-Identifier: Apache-2.0
"""Signatures of releases: OpenPGP simple signing, keyrings, signature stores."""
