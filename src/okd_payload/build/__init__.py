# SPDX-License-Identifier: Apache-2.0
"""From a stream to images: the plan, its keys, the scheduler and what it records."""
