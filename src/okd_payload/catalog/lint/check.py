# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a catalog as a whole, all of it at once.

Reading tells what is wrong with a file in itself. These checks ask what holds between files:
definitions and pipelines, overlays and what they change, Dockerfiles and aliases. Each is a
function of its own, and here is the list of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from okd_payload.catalog.lint import configurations, tekton_runs
from okd_payload.catalog.lint.arguments import check_meanings, check_replaced_lists
from okd_payload.catalog.lint.dockerfiles import check_inputs, check_operands, check_stages
from okd_payload.catalog.lint.labels import check_file_names, check_labels, check_stubs
from okd_payload.catalog.lint.parameters import check_declarations, check_runs, check_tasks
from okd_payload.catalog.lint.patches import check_indexes
from okd_payload.catalog.lint.pipelines import (
    check_builds,
    check_definitions,
    check_levels,
    check_order,
)
from okd_payload.catalog.lint.references import (
    check_aliases,
    check_bases,
    check_imports,
    check_names,
)
from okd_payload.catalog.lint.subject import Check, Subject
from okd_payload.catalog.lint.versions import check_versions
from okd_payload.issues import Issue

CHECKS: Sequence[Check] = (
    check_names,
    check_bases,
    check_imports,
    check_aliases,
    check_operands,
    check_stages,
    check_inputs,
    check_replaced_lists,
    check_indexes,
    check_meanings,
    check_versions,
    check_stubs,
    check_labels,
    check_file_names,
    check_builds,
    check_definitions,
    check_order,
    check_levels,
    check_declarations,
    check_tasks,
    check_runs,
    tekton_runs.check_kinds,
    tekton_runs.check_versions,
    tekton_runs.check_timeouts,
    tekton_runs.check_credentials,
    configurations.check_final_images,
    configurations.check_mappings,
    configurations.check_imports,
)
"""All checks, in the order in which their issues are told."""


def lint_catalog(subject: Subject, *, checks: Sequence[Check] = CHECKS) -> list[Issue]:
    """Every issue of ``subject``, what reading has found first; nothing is told twice."""
    found = (issue for check in checks for issue in check(subject))
    return list(dict.fromkeys([*subject.issues, *found]))
