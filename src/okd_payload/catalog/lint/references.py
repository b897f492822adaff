# SPDX-License-Identifier: Apache-2.0
"""Whether the images that definitions name exist, for everybody, and are those of OKD."""

from __future__ import annotations

import re
from collections.abc import Iterator

from okd_payload.catalog import codes as catalog_codes
from okd_payload.catalog.component import ImageInput
from okd_payload.catalog.definition import PulledImage
from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.subject import Definition, Subject, View, each_view
from okd_payload.catalog.names import Unresolved
from okd_payload.catalog.substitution import is_private
from okd_payload.errors import InvalidReference
from okd_payload.issues import Issue, IssueCode
from okd_payload.oci.reference import parse_reference

_OCP = re.compile(
    r"registry(?:\.svc)?\.ci\.openshift\.org/ocp(?:-priv)?/.+"
    r"|quay-proxy\.ci\.openshift\.org/openshift/ci:ocp(?:-priv)?_.+"
)


@each_view
def check_names(subject: Subject, view: View) -> Iterator[Issue]:
    """Bases and inputs that nobody makes."""
    del subject
    for definition in view.definitions:
        for image, place in definition.uses():
            found = view.find_image(definition, image)
            if isinstance(found, Unresolved):
                problem = found.problem
                yield definition.issue(problem.code, problem.message, place, hint=problem.hint)


@each_view
def check_bases(subject: Subject, view: View) -> Iterator[Issue]:
    """Bases that a definition itself names, and that not everybody can pull."""
    del subject
    for definition in view.definitions:
        base = definition.component.base
        found = view.find_image(definition, base) if base else None
        code = base_problem(found) if isinstance(found, str) else None
        if code:
            place = ("spec", "strategy", "dockerStrategy", "from")
            yield definition.issue(code, f"it is built on {found}", place, hint=BASE_HINT)


@each_view
def check_imports(subject: Subject, view: View) -> Iterator[Issue]:
    """Tags whose image not everybody can pull."""
    del subject
    if view.catalog is not None:
        return  # reading the catalog has said so
    for entry in view.imports:
        content = entry.content
        if isinstance(content, PulledImage) and is_private(content.pull_spec):
            yield catalog_codes.PRIVATE_REFERENCE.issue(
                f"{entry.name} is {content.pull_spec}, in a registry that not everybody can "
                "pull from",
                file=entry.origin.file,
                line=entry.origin.line,
                hint="import an image that is public, or build it",
            )


@each_view
def check_aliases(subject: Subject, view: View) -> Iterator[Issue]:
    """Aliases that mean two images, and images of one name that come from two streams."""
    del subject
    for definition in view.definitions:
        meanings: dict[str, ImageInput] = {}
        for item in definition.component.inputs:
            for alias in item.aliases:
                first = meanings.setdefault(alias, item)
                if first.image != item.image:
                    yield definition.issue(
                        codes.CONFLICTING_ALIAS,
                        f"{alias} is {first.image} and {item.image}",
                        definition.place_of(item),
                        hint="keep the alias at one of them",
                    )
        yield from _two_streams(definition, view)


def base_problem(pull_spec: str) -> IssueCode | None:
    """What is wrong with ``pull_spec`` as the base of a final image; None when nothing is."""
    if _OCP.fullmatch(pull_spec):
        return codes.OCP_BASE
    return codes.PRIVATE_BASE if is_private(pull_spec) else None


BASE_HINT = "build it on an image of this stream, or on one that is public"


def _two_streams(definition: Definition, view: View) -> Iterator[Issue]:
    """Inputs that are one tag of two repositories, so that two names of a stage mean two images."""
    seen: dict[str, tuple[str, ImageInput]] = {}
    for item in definition.component.inputs:
        found = view.find_image(definition, item.image)
        if not item.aliases or isinstance(found, Unresolved):
            continue
        tag = item.image if found is None else _tag_of(found)
        image = found or item.image
        first, other = seen.setdefault(tag, (image, item))
        if tag and first != image:
            yield definition.issue(
                codes.CONFLICTING_ALIAS,
                f"{', '.join(other.aliases)} is {first}, but {', '.join(item.aliases)} is {image}",
                definition.place_of(item),
                hint="give all names of the image to one input",
            )


def _tag_of(pull_spec: str) -> str:
    try:
        return parse_reference(pull_spec).tag or ""
    except InvalidReference:
        return ""
