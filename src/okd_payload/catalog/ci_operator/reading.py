# SPDX-License-Identifier: Apache-2.0
"""One configuration file, read: both forms of ``images`` and of ``promotion`` become one.

What is not known is kept and reported, never fatal: OpenShift CI adds fields every few weeks. A
value of the wrong type is an error of the file, as it is for OpenShift CI.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.catalog.ci_operator import codes
from okd_payload.catalog.ci_operator.fields import (
    AmountFields,
    BuildRootFields,
    ConfigurationFields,
    ImageFields,
    ImagesFields,
    ImageTagFields,
    PromotionFields,
    TargetFields,
)
from okd_payload.catalog.ci_operator.model import (
    BuildRoot,
    BuiltImage,
    CentralImage,
    CommandImage,
    Configuration,
    ConfigurationName,
    ExternalImage,
    InjectedImage,
    PipelineInput,
    Target,
    UnreadField,
)
from okd_payload.catalog.ci_operator.names import file_name, parse_file_name
from okd_payload.catalog.component import Argument, Copy, Origin, Resources
from okd_payload.catalog.plain_values import without_nulls
from okd_payload.documents import Document, FieldPath, convert, unknown_fields
from okd_payload.errors import InvalidDocument
from okd_payload.issues import Issue

_EVERYTHING_ELSE = "*"
_ARCHITECTURES = ("amd64", "arm64", "ppc64le", "s390x")


class ReadConfiguration(msgspec.Struct, frozen=True):
    """A configuration, and what is odd about its file."""

    configuration: Configuration
    issues: tuple[Issue, ...] = ()


def read_configuration(document: Document) -> ReadConfiguration:
    """The configuration in ``document``.

    Raises InvalidDocument when a field has the wrong type or nothing says what the file is for.
    """
    clean = Document(document.path, without_nulls(document.value), document.lines)
    fields = convert(clean, ConfigurationFields)
    name, issues = _name_of(clean, fields)
    unread = tuple(_unread_fields(clean))
    issues += [
        codes.UNREAD_CONFIGURATION_FIELD.issue(
            f"{field.name} is not known here", file=clean.path, line=field.line
        )
        for field in unread
    ]
    built, listed = _read_images(clean, fields)
    configuration = Configuration(
        name=name,
        origin=Origin(clean.path, clean.line_of(())),
        imported=_read_imports(fields),
        built=built,
        listed=listed,
        targets=_read_targets(fields.promotion),
        build_root=_read_build_root(fields.build_root),
        unread=unread,
    )
    return ReadConfiguration(configuration, tuple(issues))


def _name_of(
    document: Document, fields: ConfigurationFields
) -> tuple[ConfigurationName, list[Issue]]:
    by_file = parse_file_name(Path(document.path))
    written = fields.metadata
    if written is None:
        if by_file is None:
            raise InvalidDocument(
                "neither its metadata nor its name say which repository it is for",
                path=document.path,
                hint="call it ORG/REPO/ORG-REPO-BRANCH[__VARIANT].yaml, or add "
                "zz_generated_metadata: {org, repo, branch, variant}",
            )
        return by_file, []
    name = ConfigurationName(written.org, written.repo, written.branch, written.variant)
    if Path(document.path).name == file_name(name):
        return name, []
    issue = codes.CONFIGURATION_NAME.issue(
        f"by its metadata this is {name}, and it should be called {file_name(name)}",
        file=document.path,
        line=document.line_of(("zz_generated_metadata",)),
    )
    return name, [issue]


def _unread_fields(document: Document) -> list[UnreadField]:
    found = []
    for field in unknown_fields(document, ConfigurationFields):
        value = document.value
        for step in field:
            value = value[step]
        name = ".".join(map(str, field))
        found.append(
            UnreadField(name, document.line_of(field), msgspec.json.encode(value).decode())
        )
    return found


def _read_imports(fields: ConfigurationFields) -> dict[str, CentralImage | ExternalImage]:
    central = fields.base_images | fields.base_rpm_images
    found: dict[str, CentralImage | ExternalImage] = {
        key: _central(image, fields.tag_specification) for key, image in central.items()
    }
    for key, image in fields.external_images.items():
        path = "/".join(part for part in (image.registry, image.namespace, image.name) if part)
        found[key] = ExternalImage(f"{path}:{image.tag}" if image.tag else path)
    return found


def _central(image: ImageTagFields, default: ImageTagFields | None) -> CentralImage:
    """``image``, completed where it names nothing but a tag (reference 1.3)."""
    filled = default or ImageTagFields()
    return CentralImage(image.namespace or filled.namespace, image.name or filled.name, image.tag)


def _read_images(
    document: Document, fields: ConfigurationFields
) -> tuple[tuple[BuiltImage | CommandImage | InjectedImage, ...], frozenset[str]]:
    nested = isinstance(fields.images, ImagesFields)
    items = fields.images.items if isinstance(fields.images, ImagesFields) else fields.images
    place: FieldPath = ("images", "items") if nested else ("images",)
    built: list[BuiltImage | CommandImage | InjectedImage] = [
        _read_image(item, document.line_of((*place, number)), fields.resources)
        for number, item in enumerate(items)
    ]
    for number, step in enumerate(fields.raw_steps):
        line = document.line_of(("raw_steps", number))
        if step.project_directory_image_build_step:
            item = step.project_directory_image_build_step
            built.append(_read_image(item, line, fields.resources))
        if step.pipeline_image_cache_step:
            cached = step.pipeline_image_cache_step
            built.append(
                CommandImage(
                    name=cached.to,
                    line=line,
                    base=cached.base,
                    commands=cached.commands,
                    resources=_resources_of(cached.to, fields.resources),
                )
            )
        if step.rpm_image_injection_step:
            injected = step.rpm_image_injection_step
            built.append(InjectedImage(name=injected.to, line=line, base=injected.base))
    return tuple(built), frozenset(item.to for item in items)


def _read_image(item: ImageFields, line: int, resources: dict[str, AmountFields]) -> BuiltImage:
    return BuiltImage(
        name=item.to,
        line=line,
        base=item.base,
        context_directory=item.context_dir.lstrip("/") or ".",
        dockerfile_path=item.dockerfile_path or "Dockerfile",
        dockerfile=item.dockerfile_literal,
        inputs=tuple(
            PipelineInput(
                image=key,
                aliases=used.aliases,
                copies=tuple(Copy(path.source_path, path.destination_dir) for path in used.paths),
            )
            for key, used in item.inputs.items()
        ),
        build_arguments=tuple(Argument(given.name, given.value) for given in item.build_args),
        optional=item.optional,
        architectures=_architectures(item),
        resources=_resources_of(item.to, resources),
    )


def _architectures(item: ImageFields) -> tuple[str, ...]:
    default, *others = _ARCHITECTURES
    if item.multi_arch:
        return tuple(others)
    named = {*item.additional_architectures, *item.capabilities} & {*_ARCHITECTURES}
    return tuple(sorted(named - {default}))


def _resources_of(image: str, resources: dict[str, AmountFields]) -> Resources:
    """What building ``image`` may use: its own, or what counts for everything else."""
    amounts = resources.get(image, resources.get(_EVERYTHING_ELSE))
    if amounts is None:
        return Resources()
    return Resources(
        cpu_request=str(amounts.requests.get("cpu", "")),
        cpu_limit=str(amounts.limits.get("cpu", "")),
        memory_request=str(amounts.requests.get("memory", "")),
        memory_limit=str(amounts.limits.get("memory", "")),
    )


def _read_targets(promotion: PromotionFields | None) -> tuple[Target, ...]:
    """All targets; the old form without a list is one target."""
    if promotion is None:
        return ()
    alone = promotion.namespace or promotion.name or promotion.tag
    written: tuple[TargetFields, ...] = (*([promotion] if alone else []), *promotion.to)
    return tuple(
        Target(
            namespace=target.namespace,
            name=target.name,
            tag=target.tag,
            excluded=target.excluded_images,
            additional=target.additional_images,
            disabled=target.disabled or promotion.disabled,
        )
        for target in written
    )


def _read_build_root(written: BuildRootFields | None) -> BuildRoot | None:
    if written is None:
        return None
    image = written.image_stream_tag
    return BuildRoot(
        image=CentralImage(image.namespace, image.name, image.tag) if image else None,
        from_repository=written.from_repository,
    )
