# SPDX-License-Identifier: Apache-2.0
"""Where sources come from: git repositories and folders, made reproducible.

What others use: ``model`` (the values and the seam ``SourceTree``), ``tree`` (its
implementation), ``overrides`` (what people type) and ``lock`` (the file that freezes inputs).

Below them: ``folder`` and ``mirror`` are the two kinds of source; ``references`` finds what a
branch means; ``git`` runs git and ``git_failures`` understands it; ``content``, ``paths`` and
``git_objects`` know files and their identities; ``remote`` keeps passwords to itself.
"""
