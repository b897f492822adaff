# SPDX-License-Identifier: Apache-2.0
"""A tree of configuration files, as ``ci-operator/config`` of openshift/release is one.

Every file below the folder is read, whatever is wrong with another one; files are read in the
order of their paths.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from okd_payload.catalog.ci_operator import codes
from okd_payload.catalog.ci_operator.model import Configuration, ConfigurationName
from okd_payload.catalog.ci_operator.reading import ReadConfiguration, read_configuration
from okd_payload.catalog.codes import EMPTY_CATALOG
from okd_payload.catalog.sources import issue_of
from okd_payload.documents import read_documents
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.issues import Issue

_SUFFIXES = (".yaml", ".yml")
_NOT_CONFIGURATIONS = frozenset({".config.prowgen"})


class ConfigurationTree(msgspec.Struct, frozen=True):
    """All configurations of a tree, and what is wrong with its files."""

    configurations: tuple[Configuration, ...] = ()
    issues: tuple[Issue, ...] = ()


def read_tree(folder: Path) -> ConfigurationTree:
    """The configurations below ``folder``. Raises InputError when there is no such folder."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder",
            hint="give the folder ci-operator/config of a checkout of openshift/release",
        )
    found: dict[ConfigurationName, Configuration] = {}
    issues: list[Issue] = []
    for path in _files_below(folder):
        try:
            read = _read_file(path)
        except InvalidDocument as error:
            issues.append(issue_of(error))
            continue
        issues += read.issues
        configuration = read.configuration
        other = found.setdefault(configuration.name, configuration)
        if other is not configuration:
            issues.append(
                codes.DUPLICATE_CONFIGURATION.issue(
                    f"{configuration.name} is configured by {other.origin.file} already",
                    file=configuration.origin.file,
                    line=configuration.origin.line,
                )
            )
    if not found and not issues:
        issues.append(EMPTY_CATALOG.issue(f"{folder} has no configurations", file=str(folder)))
    return ConfigurationTree(tuple(found.values()), tuple(issues))


def _read_file(path: Path) -> ReadConfiguration:
    documents = read_documents(path)
    if len(documents) != 1:
        text = f"{len(documents)} YAML documents instead of one"
        raise InvalidDocument(text, path=str(path))
    return read_configuration(documents[0])


def _files_below(folder: Path) -> list[Path]:
    """The YAML files, links to folders not followed: a tree may have loops."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [
            Path(parent, name)
            for name in names
            if name.endswith(_SUFFIXES) and Path(name).stem not in _NOT_CONFIGURATIONS
        ]
    return sorted(found)
