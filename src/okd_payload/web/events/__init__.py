# SPDX-License-Identifier: Apache-2.0
"""Events while they happen: to whoever listens, and to addresses that want to be told."""
