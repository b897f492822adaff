# SPDX-License-Identifier: Apache-2.0
"""What goes, and when: decided from records, visible beforehand, and undone until it is done."""
