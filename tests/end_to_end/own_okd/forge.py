# SPDX-License-Identifier: Apache-2.0
"""The repositories of the real catalog on this disk, each with what its Dockerfile refers to.

They are made of recorded facts (``facts`` in the tests of the build room), one process for each,
and git's own configuration leads there who asks for them at GitHub.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

from facts import Trees, read_trees

HUB = "https://github.com/"
_TIME = "1700000000 +0000"
_UNRECORDED = {
    "https://github.com/openshift/alibaba-disk-csi-driver-operator": "Dockerfile",
    "https://github.com/openshift/azure-disk-csi-driver-operator": "Dockerfile.openshift",
    "https://github.com/openshift/azure-file-csi-driver-operator": "Dockerfile.openshift",
}
"""Dockerfiles that are known to be there, and of which nothing was recorded."""
_LIKE_OTHERS = """\
FROM registry.ci.openshift.org/ocp/builder:rhel-9-golang-1.20-openshift-4.15 AS builder
FROM registry.ci.openshift.org/ocp/4.15:base-rhel9
COPY --from=builder /copied /copied
"""
_ETCD = "https://github.com/openshift/etcd"


def make_forge(data: Path, folder: Path) -> str:
    """Write all repositories below ``folder``; gives the configuration that leads there."""
    trees = read_trees(data)
    for url, path in _UNRECORDED.items():
        trees[url, "release-4.15"][path] = _LIKE_OTHERS
    trees[_ETCD, "openshift-4.15"] = trees[_ETCD, "openshift-4.12"]
    by_url: dict[str, Trees] = defaultdict(dict)
    for (url, ref), files in trees.items():
        by_url[url.removesuffix(".git")][url, ref] = files
    template = folder / "template"
    subprocess.run(["git", "init", "--quiet", "--bare", template], check=True)
    subprocess.run(["git", "-C", template, "config", "uploadpack.allowFilter", "true"], check=True)
    for url, branches in by_url.items():
        repository = folder / url.removeprefix(HUB)
        shutil.copytree(template, repository)
        commits = [_commit(ref, files) for (_, ref), files in branches.items()]
        subprocess.run(
            ["git", "-C", repository, "fast-import", "--quiet", "--done"],
            input="\n".join([*commits, "done", ""]).encode(),
            check=True,
        )
    return f'[url "file://{folder}/"]\n\tinsteadOf = {HUB}\n'


def _commit(ref: str, files: dict[str, str]) -> str:
    lines = [
        f"commit refs/heads/{ref}",
        f"committer A. Person <person@example.com> {_TIME}",
        _data("Made from facts"),
    ]
    lines += [f"M 100644 inline {path}\n{_data(text)}" for path, text in sorted(files.items())]
    return "\n".join(lines)


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"
