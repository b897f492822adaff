# SPDX-License-Identifier: Apache-2.0
"""How long the commands about releases take, each job beside the peer and, where it can, skopeo."""
