# SPDX-License-Identifier: Apache-2.0
"""Who runs verifications: one module for each kind of runner, all behind one protocol."""
