# SPDX-License-Identifier: Apache-2.0
"""The pages for people: rendered here, complete without any script, and kept fresh by a small one.

Templates, the style and the script are files beside the code. Whatever a page shows was written
by somebody else (names, messages, logs, results): it is text, bounded, and never markup.
"""
