# SPDX-License-Identifier: Apache-2.0
"""Update graphs: which release may follow which, what was tested, and what is held back."""
