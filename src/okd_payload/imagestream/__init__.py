# SPDX-License-Identifier: Apache-2.0
"""Image streams: tags that point at digests, whatever holds them."""
