# SPDX-License-Identifier: Apache-2.0
"""What the name of a configuration file says: ``ORG-REPO-BRANCH[__VARIANT].yaml``.

All of the parts may have hyphens, so the folders ``ORG/REPO/`` around the file decide where one
ends. The metadata inside of the file says the same without doubt, and counts.
"""

from __future__ import annotations

from pathlib import Path

from okd_payload.catalog.ci_operator.model import ConfigurationName

_VARIANT_MARK = "__"


def parse_file_name(path: Path) -> ConfigurationName | None:
    """What the file at ``path`` is for, by its name and folders; None when they do not fit."""
    org, repo = path.parent.parent.name, path.parent.name
    prefix = f"{org}-{repo}-"
    if not (org and repo and path.stem.startswith(prefix)):
        return None
    branch, mark, variant = path.stem.removeprefix(prefix).rpartition(_VARIANT_MARK)
    if not mark:
        branch, variant = variant, ""
    return ConfigurationName(org, repo, branch, variant) if branch else None


def file_name(name: ConfigurationName) -> str:
    """What the file of ``name`` is to be called; branches may have slashes, files may not."""
    mark = f"{_VARIANT_MARK}{name.variant}" if name.variant else ""
    return f"{name.org}-{name.repo}-{name.branch}{mark}.yaml".replace("/", "-")
