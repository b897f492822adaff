# SPDX-License-Identifier: Apache-2.0
"""Where sources come from: git repositories and folders, made reproducible.

``model`` holds the values and the seam, ``git`` and ``folder`` the two kinds of source,
``tree`` the implementation of the seam, ``lock`` the file that freezes a stream's inputs.
"""
