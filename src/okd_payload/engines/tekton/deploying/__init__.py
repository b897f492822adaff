# SPDX-License-Identifier: Apache-2.0
"""Bringing a namespace in line with what was rendered, and taking all of it away again.

Decided before anything is done: ``survey`` asks the cluster what it would make of every object
(server-side apply as a dry run), and returns what would change as a value that can be shown.
``carry_out`` does what was decided, and undoes what it created when it cannot go on.
"""
