# SPDX-License-Identifier: Apache-2.0
"""What a cluster does with a payload: loading, including, enabling, ordering, applying.

The rules are those of the cluster-version operator, whose own verdicts are held against them.
Everything here is a pure function over values: nothing is read, nothing is looked up.
"""
