# SPDX-License-Identifier: Apache-2.0
"""A catalogue as files: ``KIND/NAME/VERSION/NAME.yaml`` with its page and its package.

This is the layout with a folder for each version, which Artifact Hub and Tekton Hub both read;
older versions are folders beside the new one, and are left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from okd_payload.engines.manifests import TextFile, write_documents
from okd_payload.engines.tekton.catalogue.artifact_hub import describe_package
from okd_payload.engines.tekton.catalogue.entry import Entry
from okd_payload.engines.tekton.catalogue.readme import write_overview, write_readme

PACKAGE_FILE = "artifacthub-pkg.yml"


def render_catalogue(
    entries: Sequence[Entry], *, created: str, known: Mapping[str, str]
) -> tuple[TextFile, ...]:
    """The files of ``entries``, of which those not ``known`` were first published at ``created``.

    ``known`` has the time of each package file that is there already, so that rendering the same
    version again changes nothing.
    """
    files = [TextFile("README.md", write_overview(entries))]
    for entry in entries:
        package = f"{entry.folder}/{PACKAGE_FILE}"
        described = describe_package(entry, created=known.get(package, created))
        files += [
            TextFile(f"{entry.folder}/{entry.name}.yaml", write_documents([entry.manifest])),
            TextFile(f"{entry.folder}/README.md", write_readme(entry)),
            TextFile(package, write_documents([described])),
        ]
    return tuple(files)
