# SPDX-License-Identifier: Apache-2.0
"""Change sets: from a change of one repository to everything that it reaches, built with it.

``change`` is what was asked for, ``changed`` what the repository holds then, ``go_facts`` what
components say about their modules, ``reach`` decides, ``vendoring`` says what to change in a
component and ``prepare`` does it; ``report`` tells what came of it.
"""
