# SPDX-License-Identifier: Apache-2.0
"""Catalogs of other tools, ready to be written in our own form.

Where each definition came from stands in its file, relative to what was imported: files say
nothing about the machine that wrote them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.catalog.ci_operator.components import make_components
from okd_payload.catalog.ci_operator.model import BuiltImage
from okd_payload.catalog.ci_operator.promotion import version_of
from okd_payload.catalog.ci_operator.selection import Choice, Wanted, want
from okd_payload.catalog.ci_operator.tree import read_tree
from okd_payload.catalog.definition import Definition, Definitions
from okd_payload.catalog.sources import read_kustomization_objects, read_openshift_files
from okd_payload.catalog.substitution import Substitution
from okd_payload.catalog.writing.model import ImportedCatalog
from okd_payload.catalog.writing.simplification import drop_computed, find_patterns
from okd_payload.errors import InputError
from okd_payload.issues import Issue

RELEASE_IMAGES = Substitution(
    regex=r"registry\.ci\.openshift\.org/(?:ocp|ocp-priv|origin)/(?:[a-z]+-)*[0-9]+\.[0-9]+:(.+)",
    image="{1}",
)
"""Images of any release of OpenShift's CI are those of this stream: Dockerfiles lag behind."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What was imported, and what is wrong with it."""

    catalog: ImportedCatalog
    issues: tuple[Issue, ...] = ()


def import_configurations(
    folder: Path, *, branch: str, variant: str = "", stream: str = "", name: str = ""
) -> Imported:
    """A stream of OpenShift CI, out of the tree of configurations in ``folder``.

    ``stream`` is the ``NAMESPACE/NAME`` that images are promoted to, where that is not plain.
    Raises InputError.
    """
    tree = read_tree(folder)
    wanted = want(tree.configurations, branch=branch, variant=variant, stream=stream)
    made = make_components(tree.configurations, wanted)
    found = made.definitions
    rules = (RELEASE_IMAGES,)
    tags = {each.component.tag for each in found.definitions}
    tags |= {each.name for each in found.imports}
    version = version_of(wanted.stream)
    options = f"--branch {branch}" + (f" --variant {variant}" if variant else "")
    catalog = ImportedCatalog(
        stream=name or _name_of(wanted),
        came_from=(
            f"Images that OpenShift CI promotes to {wanted.stream}, from its configurations.",
            f"okd-payload catalog import --ci-operator DIR {options} brings it up to date.",
        ),
        definitions=drop_computed(found.definitions, rules, tags=tags),
        imports=found.imports,
        substitutions=rules,
        branch=branch if any(choice.ref == branch for choice in made.choices) else "",
        version=f"{version}.0" if version else "",
        evidence=_describe_images(found.definitions, made.choices, folder),
        ref_reasons=_ref_reasons(found.definitions, made.choices, branch),
    )
    return Imported(catalog=catalog, issues=(*tree.issues, *found.issues))


def import_build_configs(path: Path, *, image_stream: str, name: str = "") -> Imported:
    """The BuildConfigs and ImageStreams of the folder or file at ``path``. Raises InputError."""
    try:
        found = read_openshift_files(path, image_stream=image_stream)
    except OSError as error:
        raise _unreadable(path, error) from error
    return _import_openshift(found, path, option="--build-configs", name=name)


def import_kustomization(path: Path, *, image_stream: str, name: str = "") -> Imported:
    """What the kustomization in the folder at ``path`` makes of BuildConfigs. Raises InputError."""
    try:
        found = read_kustomization_objects(path, image_stream=image_stream)
    except OSError as error:
        raise _unreadable(path, error) from error
    return _import_openshift(found, path, option="--kustomization", name=name)


def _import_openshift(found: Definitions, path: Path, *, option: str, name: str) -> Imported:
    rules = find_patterns(found.definitions)
    tags = {each.component.tag for each in found.definitions}
    tags |= {each.name for each in found.imports}
    folder = path if path.is_dir() else path.parent
    catalog = ImportedCatalog(
        stream=name or path.resolve().stem.lower(),
        came_from=(
            f"Images that BuildConfigs define, from {path.resolve().name}.",
            f"okd-payload catalog import {option} PATH brings it up to date.",
        ),
        definitions=drop_computed(found.definitions, rules, tags=tags),
        imports=found.imports,
        substitutions=rules,
        evidence=_places(found.definitions, folder),
    )
    return Imported(catalog=catalog, issues=found.issues)


def _name_of(wanted: Wanted) -> str:
    namespace, _, name = wanted.stream.partition("/")
    return name if name[:1].isalpha() else f"{namespace}-{name}"


def _places(definitions: Iterable[Definition], folder: Path) -> dict[str, str]:
    """Where each definition stands, seen from ``folder``."""
    return {
        each.component.name: f"From {os.path.relpath(each.component.origin.file, folder)}."
        for each in definitions
    }


def _describe_images(
    definitions: Iterable[Definition], choices: Iterable[Choice], folder: Path
) -> dict[str, str]:
    """Where each definition stands, and for what else OpenShift CI builds the image."""
    others = {
        (choice.configuration.origin.file, image.line): image.architectures
        for choice in choices
        for image in choice.configuration.built
        if isinstance(image, BuiltImage) and image.architectures
    }
    found = _places(definitions, folder)
    for each in definitions:
        origin = each.component.origin
        architectures = others.get((origin.file, origin.line))
        if architectures:
            built = f"OpenShift CI builds it for {', '.join(architectures)}, too."
            found[each.component.name] += f"\n{built}"
    return found


def _ref_reasons(
    definitions: Iterable[Definition], choices: Iterable[Choice], branch: str
) -> dict[str, str]:
    """Why components do not have the ref that is ``branch``."""
    others = {each.configuration.origin.file for each in choices if each.ref != branch}
    return {
        each.component.name: f"no configuration of {branch}"
        for each in definitions
        if each.component.origin.file in others
    }


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot read {path}: {error.strerror or error}", hint="name a folder with definitions"
    )
