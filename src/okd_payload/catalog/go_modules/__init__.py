# SPDX-License-Identifier: Apache-2.0
"""Go modules as files say them: ``go.mod``, ``go.work``, ``vendor/modules.txt``, imports.

Own readers, because the question is put to 190 repositories at commits that nobody checked out,
and because no Go is needed to plan. They read what the go command reads and refuse what it
refuses; what they cannot know without a module proxy they do not guess.
"""
