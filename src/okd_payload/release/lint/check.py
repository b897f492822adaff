# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a release, all of it at once.

First come the checks that the cluster-version operator makes before it takes a payload: it
refuses the whole payload for one bad document. Then what it would not notice and people would
suffer from: objects that nothing applies, images that are not there, placeholders that nobody
replaced. Each check is a function of its own, and here is the list of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.issues import Issue
from okd_payload.release import codes
from okd_payload.release.components import look_up
from okd_payload.release.lint.annotations import (
    check_actions,
    check_excludes,
    check_profiles,
    check_readable,
    check_unknown,
)
from okd_payload.release.lint.apis import check_apis
from okd_payload.release.lint.boot_images import check_boot_images
from okd_payload.release.lint.crd.check import check_definitions
from okd_payload.release.lint.documents import (
    check_documents,
    check_kinds,
    check_other_files,
    check_repetitions,
    check_sizes,
)
from okd_payload.release.lint.features import (
    check_capabilities,
    check_feature_gates,
    check_feature_sets,
    check_major_versions,
)
from okd_payload.release.lint.images import check_images, check_leftovers, check_tags
from okd_payload.release.lint.metadata import lint_metadata
from okd_payload.release.lint.names import (
    check_component_names,
    check_folders,
    check_names,
    check_run_levels,
)
from okd_payload.release.lint.operators import is_readable
from okd_payload.release.lint.subject import Check, Subject, read_files
from okd_payload.release.lint.verification import check_verification
from okd_payload.release.lint.workloads import (
    check_cluster_operators,
    check_namespaces,
    check_omitted_namespaces,
    check_operator_versions,
    check_service_accounts,
)
from okd_payload.release.load import ReleaseContent
from okd_payload.release.naming import run_level_of
from okd_payload.release.new.images import RepositoryOf

CHECKS: Sequence[Check] = (
    check_tags,
    check_documents,
    check_repetitions,
    check_leftovers,
    check_images,
    check_other_files,
    check_names,
    check_folders,
    check_run_levels,
    check_component_names,
    check_kinds,
    check_sizes,
    check_readable,
    check_profiles,
    check_excludes,
    check_actions,
    check_unknown,
    check_feature_sets,
    check_feature_gates,
    check_capabilities,
    check_major_versions,
    check_omitted_namespaces,
    check_namespaces,
    check_service_accounts,
    check_cluster_operators,
    check_operator_versions,
    check_apis,
    check_definitions,
    check_boot_images,
    check_verification,
)
"""All checks of files, in the order in which their issues are told."""

BUILD_CHECKS: Sequence[Check] = tuple(
    check for check in CHECKS if check not in {check_verification, check_boot_images}
)
"""What is told of a release that was only just built: what is wrong with its components, not what
it lacks to be published."""


def lint_release(content: ReleaseContent, *, checks: Sequence[Check] = CHECKS) -> list[Issue]:
    """Every issue that the files of a release show; nothing is looked up."""
    read = lint_metadata(content)
    subject = Subject(
        content=content,
        files=read_files(
            {name: text for name, text in content.manifests.items() if "/" not in name}
        ),
        references=read.references,
        metadata=read.metadata,
    )
    found = [*read.issues, *(issue for check in checks for issue in check(subject))]
    return [_name_component(issue) for issue in found]


async def lint_images(content: ReleaseContent, repository_of: RepositoryOf) -> list[Issue]:
    """An issue for every image of the release that cannot be had. Raises RegistryError."""
    references = lint_metadata(content).references
    tags = references.spec.tags if references else ()
    components = await look_up(filter(is_readable, tags), repository_of)
    return [
        codes.MISSING_IMAGE.issue(
            component.problem,
            component=component.tag.name,
            hint="clusters cannot install this release: push the image, or make it again",
        )
        for component in components
        if component.problem
    ]


def _name_component(issue: Issue) -> Issue:
    """``issue`` with the component that its file is of, so that it can be permitted for it."""
    placed = run_level_of(issue.file) if issue.file and not issue.component else None
    return msgspec.structs.replace(issue, component=placed.component) if placed else issue
