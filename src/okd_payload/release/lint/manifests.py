# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the manifests of a payload: documents, duplicates, leftovers, images."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from okd_payload.errors import InvalidReference
from okd_payload.issues import Issue
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.release import codes
from okd_payload.release.conditions import Conditions, conditions_of
from okd_payload.release.new.rewrite import VERSION_PLACEHOLDER
from okd_payload.release.objects import ManifestFile, ManifestObject, ObjectKey, read_objects

_PRIVATE_HOST = re.compile(
    r"(?:.+\.)?ci\.openshift\.org"
    r"|.+\.svc(?:\.cluster\.local)?"
    r"|(?:brew\.)?registry(?:-proxy)?\.(?:engineering|stage|devel)\.redhat\.(?:com|io)"
)
"""Registries of OpenShift's own CI, of one cluster, of one company: others cannot pull there."""
_IMAGE_VARIABLE = re.compile(r"(?:^|_)IMAGE(?:_|$)")


class _Place(NamedTuple):
    file: str
    conditions: Conditions


def is_private(reference: Reference) -> bool:
    """Whether ``reference`` leads to a registry that not everybody can pull from."""
    return _PRIVATE_HOST.fullmatch(reference.host.partition(":")[0]) is not None


def lint_manifests(
    manifests: Mapping[str, bytes], *, pull_specs: Collection[str]
) -> Iterator[Issue]:
    """Check every file; ``pull_specs`` are the images of the release."""
    known = frozenset(pull_specs)
    seen: dict[ObjectKey, list[_Place]] = {}
    for name, content in manifests.items():
        file = read_objects(content)
        yield from _check_documents(name, file)
        yield from _check_repetitions(name, file, seen)
        yield from _check_leftovers(name, content)
        yield from _check_images(name, file, known)


def _check_documents(name: str, file: ManifestFile) -> Iterator[Issue]:
    for problem in file.problems:
        yield codes.INVALID_MANIFEST.issue(
            problem.message,
            file=name,
            line=problem.line,
            hint="the cluster refuses the whole payload for it: mend it in the operator's source",
        )


def _check_repetitions(
    name: str, file: ManifestFile, seen: dict[ObjectKey, list[_Place]]
) -> Iterator[Issue]:
    here: dict[ObjectKey, list[_Place]] = {}
    for item in file.objects:
        place = _Place(name, conditions_of(item.value))
        if item.key in here:
            yield codes.DUPLICATE_OBJECT.issue(
                f"duplicate resource: {item.key}",
                file=name,
                line=item.line,
                hint="the cluster refuses the whole payload for it: remove one of the two",
            )
        others = [
            other.file
            for other in seen.get(item.key, [])
            if other.conditions.may_hold_with(place.conditions)
        ]
        if others:
            yield codes.REPEATED_OBJECT.issue(
                f"{item.key} is in {others[0]} too",
                file=name,
                line=item.line,
                hint="the cluster applies one after the other, again and again: keep one",
            )
        here.setdefault(item.key, []).append(place)
    for key, places in here.items():
        seen.setdefault(key, []).extend(places)


def _check_leftovers(name: str, content: bytes) -> Iterator[Issue]:
    place = content.find(VERSION_PLACEHOLDER)
    if place >= 0:
        line = content.count(b"\n", 0, place) + 1
        text = content[place:].split(None, 1)[0][:80].decode(errors="replace")
        yield codes.LEFTOVER_PLACEHOLDER.issue(
            f"the version placeholder {text} was not replaced",
            file=name,
            line=line,
            hint="no letter, digit or underscore may stand before it, no letter or digit after it",
        )


def _check_images(name: str, file: ManifestFile, known: frozenset[str]) -> Iterator[Issue]:
    found = {text: item for item in file.objects for text in _image_strings(item.value)}
    for text, item in found.items():
        if text in known:
            continue
        reference = _parse(text)
        if reference is None:
            yield codes.LEFTOVER_PLACEHOLDER.issue(
                f"{item.key} has the image {text!r}, which is no pull spec",
                file=name,
                line=item.line,
                hint="list its placeholder in the operator's image-references",
            )
        elif is_private(reference):
            yield _private(name, item, text)
        else:
            yield codes.FOREIGN_IMAGE.issue(
                f"{item.key} uses {text}, which is not an image of the release",
                file=name,
                line=item.line,
                hint="list it in the operator's image-references, to have it pinned and mirrored",
            )


def _private(name: str, item: ManifestObject, text: str) -> Issue:
    return codes.PRIVATE_IMAGE.issue(
        f"{item.key} uses {text}, which only some can pull",
        file=name,
        line=item.line,
        hint="list its placeholder in the operator's image-references",
    )


def _image_strings(value: Any) -> Iterator[str]:
    """Texts that containers are started from, and environment values that name images."""
    if isinstance(value, list):
        for item in value:
            yield from _image_strings(item)
    if not isinstance(value, dict):
        return
    image = value.get("image")
    if isinstance(image, str) and image and "name" in value:
        yield image
    variable, text = value.get("name"), value.get("value")
    if isinstance(variable, str) and isinstance(text, str) and _IMAGE_VARIABLE.search(variable):
        yield from (text,) if "/" in text else ()
    for item in value.values():
        yield from _image_strings(item)


def _parse(text: str) -> Reference | None:
    try:
        return parse_reference(text)
    except InvalidReference:
        return None
