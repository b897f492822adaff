# SPDX-License-Identifier: Apache-2.0
"""What a stream is made of: its components, where they come from, and what they need."""
