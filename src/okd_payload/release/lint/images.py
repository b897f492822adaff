# SPDX-License-Identifier: Apache-2.0
"""Images of a release and in its manifests: whether everybody gets them, and those that are meant.

What a manifest names by digest out of ``image-references`` is pinned, mirrored and signed with
the release. Everything else is not, and a cluster without internet access cannot start it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from okd_payload.errors import InvalidReference
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.release import codes, labels
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.lint import codes as lint_codes
from okd_payload.release.lint.subject import CheckedFile, CheckedObject, Subject
from okd_payload.release.new.rewrite import VERSION_PLACEHOLDER

_PRIVATE_HOST = re.compile(
    r"(?:.+\.)?ci\.openshift\.org"
    r"|.+\.svc(?:\.cluster\.local)?"
    r"|(?:brew\.)?registry(?:-proxy)?\.(?:engineering|stage|devel)\.redhat\.(?:com|io)"
)
"""Registries of OpenShift's own CI, of one cluster, of one company: others cannot pull there."""
_LOGIN_HOST = re.compile(r"registry(?:\.connect)?\.redhat\.(?:io|com)")
"""Registries that want a login from whoever pulls; an OKD cluster has none."""
_IMAGE_VARIABLE = re.compile(r"(?:^|_)IMAGE(?:_|$)")
_LEFTOVER = re.compile(rb"\S*?" + re.escape(VERSION_PLACEHOLDER) + rb"[^\s\"']*")
_SHOWN_BYTES = 80


def check_tags(subject: Subject) -> Iterator[Issue]:
    """The pull specs of the release itself."""
    seen: dict[str, str] = {}
    for tag in subject.tags:
        yield from _check_tag(tag)
        if seen.setdefault(tag.name, pull_spec_of(tag)) != pull_spec_of(tag):
            yield lint_codes.REPEATED_TAG.issue(
                f"the name stands for {seen[tag.name]} and for {pull_spec_of(tag)}",
                component=tag.name,
                file=labels.IMAGE_REFERENCES,
                hint="a cluster takes the last one, other programs the first: make the release"
                " again",
            )


def _check_tag(tag: TagReference) -> Iterator[Issue]:
    pull_spec = pull_spec_of(tag)
    if not pull_spec:
        return
    try:
        reference = parse_reference(pull_spec)
    except InvalidReference as error:
        yield codes.INVALID_PULL_SPEC.issue(
            error.message, component=tag.name, file=labels.IMAGE_REFERENCES, hint=error.hint
        )
        return
    if _is_private(reference):
        yield codes.PRIVATE_IMAGE.issue(
            f"{pull_spec} is in a registry that only some can pull from",
            component=tag.name,
            file=labels.IMAGE_REFERENCES,
            hint="copy the images to a public repository and make the release from there",
        )
    elif _needs_login(reference):
        yield lint_codes.LOGIN_REQUIRED.issue(
            f"{pull_spec} is in a registry that wants a login",
            component=tag.name,
            file=labels.IMAGE_REFERENCES,
            hint="clusters need it in their pull secret: say so, or copy the image",
        )
    if reference.digest is None:
        yield codes.FLOATING_IMAGE.issue(
            f"{pull_spec} names no digest: what it means may change, and no mirror serves it",
            component=tag.name,
            file=labels.IMAGE_REFERENCES,
            hint="give the image by digest",
        )


def check_leftovers(subject: Subject) -> Iterator[Issue]:
    """Version placeholders that nobody replaced, each text once in a file."""
    for file in subject.files:
        if VERSION_PLACEHOLDER in file.content:
            yield from _check_leftovers(file)


def _check_leftovers(file: CheckedFile) -> Iterator[Issue]:
    found: dict[bytes, int] = {}
    for match in _LEFTOVER.finditer(file.content):
        found.setdefault(match[0][:_SHOWN_BYTES], match.start())
    for text, place in found.items():
        yield codes.LEFTOVER_PLACEHOLDER.issue(
            f"the version placeholder {text.decode(errors='replace')} was not replaced",
            file=file.name,
            line=file.content.count(b"\n", 0, place) + 1,
            hint="no letter, digit or underscore may stand before it, no letter or digit after it",
        )


def check_images(subject: Subject) -> Iterator[Issue]:
    """Images in manifests that are not images of the release, each once in a file.

    When nobody can tell what the images of the release are, nothing is said.
    """
    for file in subject.files if subject.references else ():
        found = {text: item for item in file.objects for text in find_images(item.value)}
        for text, item in found.items():
            if text not in subject.pull_specs:
                yield _judge(item, text)


def find_images(value: Any) -> Iterator[str]:
    """Texts that containers are started from, and environment values that name images."""
    if isinstance(value, list):
        for item in value:
            yield from find_images(item)
    if not isinstance(value, dict):
        return
    image = value.get("image")
    if isinstance(image, str) and image and "name" in value:
        yield image
    variable, text = value.get("name"), value.get("value")
    if isinstance(variable, str) and isinstance(text, str) and _IMAGE_VARIABLE.search(variable):
        yield from (text,) if "/" in text else ()
    for item in value.values():
        if isinstance(item, dict | list):
            yield from find_images(item)


def _judge(item: CheckedObject, text: str) -> Issue:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return item.issue(
            codes.LEFTOVER_PLACEHOLDER,
            f"has the image {text!r}, which is no pull spec",
            hint="list its placeholder in the operator's image-references",
        )
    if _is_private(reference):
        return item.issue(
            codes.PRIVATE_IMAGE,
            f"uses {text}, which only some can pull",
            hint="list its placeholder in the operator's image-references",
        )
    if _needs_login(reference):
        return item.issue(
            lint_codes.LOGIN_REQUIRED,
            f"uses {text}, which wants a login and is not an image of the release",
            hint="list its placeholder in the operator's image-references",
        )
    by_tag = "" if reference.digest else ", by tag, which no mirror of digests serves"
    return item.issue(
        codes.FOREIGN_IMAGE,
        f"uses {text}, which is not an image of the release{by_tag}",
        hint="list it in the operator's image-references, to have it pinned and mirrored",
    )


def _is_private(reference: Reference) -> bool:
    return _PRIVATE_HOST.fullmatch(reference.host.partition(":")[0]) is not None


def _needs_login(reference: Reference) -> bool:
    return _LOGIN_HOST.fullmatch(reference.host.partition(":")[0]) is not None
