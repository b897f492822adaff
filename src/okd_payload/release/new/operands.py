# SPDX-License-Identifier: Apache-2.0
"""What an operator says about the images that it works with.

A file ``image-references`` beside its manifests, an ImageStream, gives for each tag of the
release the placeholder that stands for it in the manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from okd_payload.errors import InvalidDocument, nearest_names
from okd_payload.imagestream.openshift import DOCKER_IMAGE, TagReference, parse_image_stream
from okd_payload.issues import Issue
from okd_payload.release import codes, labels
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.new.images import Operator
from okd_payload.release.versions import (
    ComponentVersions,
    VersionTable,
    declared_by,
    make_table,
)


class Operands(msgspec.Struct, frozen=True, kw_only=True):
    """The images that one operator lists."""

    operator: str
    has_file: bool = False
    listed: tuple[str, ...] = ()
    """Every tag named in the file; all of them stay in the release."""
    placeholders: dict[str, str] = {}
    """The text that stands for each tag in the manifests."""
    issues: tuple[Issue, ...] = ()


def read_operands(operator: Operator) -> Operands:
    """What ``operator`` lists; nothing when it has no such file."""
    file = next((file for file in operator.top_files if file.name == labels.IMAGE_REFERENCES), None)
    if file is None:
        return Operands(operator=operator.tag)
    try:
        stream = parse_image_stream(file.content, path=file.name)
    except InvalidDocument as error:
        issue = _invalid(operator.tag, error.detail, line=error.line)
        return Operands(operator=operator.tag, has_file=True, issues=(issue,))
    placeholders = {
        tag.name: tag.origin.name
        for tag in stream.spec.tags
        if tag.origin is not None and tag.origin.kind == DOCKER_IMAGE
    }
    return Operands(
        operator=operator.tag,
        has_file=True,
        listed=tuple(dict.fromkeys(tag.name for tag in stream.spec.tags)),
        placeholders=placeholders,
        issues=tuple(_check_placeholders(operator.tag, placeholders)),
    )


def resolve_placeholders(
    operands: Operands, tags: Mapping[str, TagReference], *, allow_missing: bool
) -> tuple[dict[str, str], list[Issue]]:
    """The pull spec for each placeholder, and an issue for each tag that nobody has."""
    pull_specs: dict[str, str] = {}
    issues = []
    for name, placeholder in operands.placeholders.items():
        if name in tags:
            pull_specs.setdefault(placeholder, pull_spec_of(tags[name]))
        else:
            issues.append(_missing(operands.operator, name, tags, allowed=allow_missing))
    pull_specs.pop("", None)
    return pull_specs, issues


def tabulate_versions(
    operands: Operands, tags: Mapping[str, TagReference], *, defaults: ComponentVersions
) -> tuple[VersionTable, list[Issue]]:
    """The versions that the manifests of this operator may name."""
    names = sorted(name for name in operands.placeholders if name in tags)
    table = make_table(
        ((name, declared_by(tags[name].annotations)) for name in names), defaults=defaults
    )
    issues = [
        codes.CONFLICTING_VERSIONS.issue(
            sentence,
            component=operands.operator,
            file=labels.IMAGE_REFERENCES,
            hint="build the images from the same source, or list only one of them",
        )
        for sentence in table.conflicts
    ]
    return table, issues


def _check_placeholders(operator: str, placeholders: Mapping[str, str]) -> Iterable[Issue]:
    claimed: dict[str, str] = {}
    for tag, placeholder in placeholders.items():
        if not placeholder:
            yield _invalid(operator, f"no from.name for the tag {tag}")
        elif claimed.setdefault(placeholder, tag) != tag:
            yield _invalid(
                operator,
                f'the source repository "{placeholder}" was defined more than once'
                f' (for "{claimed[placeholder]}" and "{tag}")',
            )


def _missing(operator: str, name: str, tags: Mapping[str, TagReference], *, allowed: bool) -> Issue:
    near = nearest_names(name, tags)
    hint = f"did you mean {' or '.join(near)}?" if near else "add the image to the input"
    if name in {"true", "false"}:
        hint = f"YAML reads a plain y, on, no or off as {name}: quote the tag's name"
    issue = codes.MISSING_OPERAND.issue(
        f'no input image tag named "{name}"',
        component=operator,
        file=labels.IMAGE_REFERENCES,
        hint=hint,
    )
    reason = "missing images are allowed on the command line"
    return msgspec.structs.replace(issue, permitted=reason) if allowed else issue


def _invalid(operator: str, message: str, *, line: int = 0) -> Issue:
    return codes.INVALID_OPERATOR_REFERENCES.issue(
        message,
        component=operator,
        file=labels.IMAGE_REFERENCES,
        line=line,
        hint="the file is an ImageStream whose tags say `from: {kind: DockerImage, name: ...}`",
    )
