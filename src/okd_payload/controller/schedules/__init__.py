# SPDX-License-Identifier: Apache-2.0
"""What is done again and again: builds, verifications, promotions, each at its time."""
