# SPDX-License-Identifier: Apache-2.0
"""The fields of ci-operator configurations, as their files write them (reference 1.1 to 1.9).

The types hold what says how images are made and where they go. What is about tests, jobs and
clusters is known by name only (``Any``), so that it is neither read nor reported. Fields that
stand nowhere are tolerated here and listed by ``documents.unknown_fields``.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the parts: unknown fields are tolerated."""


class MetadataFields(Part, frozen=True, kw_only=True):
    """Which repository, branch and variant the file is for."""

    org: str
    repo: str
    branch: str
    variant: str = ""


class ImageTagFields(Part, frozen=True, kw_only=True):
    """A tag of an image stream in the central registry."""

    namespace: str = ""
    name: str = ""
    tag: str = ""
    aliases: tuple[str, ...] | str = msgspec.field(name="as", default=())


class ExternalImageFields(Part, frozen=True, kw_only=True):
    """An image of another registry."""

    registry: str = ""
    namespace: str = ""
    name: str = ""
    tag: str = ""
    pull_secret: str = ""
    aliases: tuple[str, ...] | str = msgspec.field(name="as", default=())


class CopiedPathFields(Part, frozen=True, kw_only=True):
    """A file or folder to copy out of an image into the build context."""

    source_path: str
    destination_dir: str = "."


class InputFields(Part, frozen=True, kw_only=True):
    """What an image is used for: under other names, or for files of it."""

    aliases: tuple[str, ...] = msgspec.field(name="as", default=())
    paths: tuple[CopiedPathFields, ...] = ()


class ArgumentFields(Part, frozen=True, kw_only=True):
    """A build argument."""

    name: str
    value: str = ""


class ImageFields(Part, frozen=True, kw_only=True):
    """One image to build."""

    to: str
    base: str = msgspec.field(name="from", default="")
    dockerfile_path: str = ""
    dockerfile_literal: str | None = None
    context_dir: str = ""
    inputs: dict[str, InputFields] = msgspec.field(default_factory=dict)
    build_args: tuple[ArgumentFields, ...] = ()
    optional: bool = False
    multi_arch: bool = False
    additional_architectures: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    ref: str = ""
    build_if_affected: Any = None
    run_if_changed: Any = None
    skip_if_only_changed: Any = None


class ImagesFields(Part, frozen=True, kw_only=True):
    """The images in the form of today: an object with items."""

    items: tuple[ImageFields, ...] = ()
    build_if_affected: Any = None
    pipeline_run_if_changed: Any = None
    pipeline_skip_if_only_changed: Any = None
    reporter_config: Any = None
    run_if_changed: Any = None
    skip_if_only_changed: Any = None


class BuildRootFields(Part, frozen=True, kw_only=True):
    """The image in which sources are compiled; exactly one of the first three."""

    image_stream_tag: ImageTagFields | None = None
    from_repository: bool = False
    project_image: Any = None
    use_build_cache: bool = False


class TargetFields(Part, frozen=True, kw_only=True):
    """Where images go."""

    namespace: str = ""
    name: str = ""
    tag: str = ""
    tag_by_commit: bool = False
    excluded_images: tuple[str, ...] = ()
    additional_images: dict[str, str] = msgspec.field(default_factory=dict)
    disabled: bool = False


class PromotionFields(TargetFields, frozen=True, kw_only=True):
    """All targets; older files have the fields of a single one here."""

    to: tuple[TargetFields, ...] = ()
    registry_override: str = ""
    disable_build_cache: bool = False
    cron: str = ""


class IntegrationFields(Part, frozen=True, kw_only=True):
    """A release that is made of the tags of an image stream."""

    namespace: str = ""
    name: str = ""
    include_built_images: bool = False
    reference_policy: str = ""


class ReleaseFields(Part, frozen=True, kw_only=True):
    """A release to test with."""

    integration: IntegrationFields | None = None
    candidate: Any = None
    prerelease: Any = None
    release: Any = None


class CacheStepFields(Part, frozen=True, kw_only=True):
    """Commands that are run in an image and give another one."""

    base: str = msgspec.field(name="from", default="")
    to: str = ""
    commands: str = ""


class InjectionStepFields(Part, frozen=True, kw_only=True):
    """An image that gets the package repository of the same run."""

    base: str = msgspec.field(name="from", default="")
    to: str = ""


class RawStepFields(Part, frozen=True, kw_only=True):
    """A step in the form that ci-operator runs; exactly one."""

    pipeline_image_cache_step: CacheStepFields | None = None
    project_directory_image_build_step: ImageFields | None = None
    rpm_image_injection_step: InjectionStepFields | None = None
    bundle_source_step: Any = None
    index_generator_step: Any = None
    input_image_tag_step: Any = None
    output_image_tag_step: Any = None
    release_images_tag_step: Any = None
    resolved_release_images_step: Any = None
    rpm_serve_step: Any = None
    source_step: Any = None
    test_step: Any = None


class AmountFields(Part, frozen=True, kw_only=True):
    """What a step asks for, or may use."""

    requests: dict[str, str | int | float] = msgspec.field(default_factory=dict)
    limits: dict[str, str | int | float] = msgspec.field(default_factory=dict)


class ConfigurationFields(Part, frozen=True, kw_only=True):
    """One file."""

    metadata: MetadataFields | None = msgspec.field(name="zz_generated_metadata", default=None)
    base_images: dict[str, ImageTagFields] = msgspec.field(default_factory=dict)
    base_rpm_images: dict[str, ImageTagFields] = msgspec.field(default_factory=dict)
    external_images: dict[str, ExternalImageFields] = msgspec.field(default_factory=dict)
    build_root: BuildRootFields | None = None
    images: tuple[ImageFields, ...] | ImagesFields = ()
    promotion: PromotionFields | None = None
    releases: dict[str, ReleaseFields] = msgspec.field(default_factory=dict)
    raw_steps: tuple[RawStepFields, ...] = ()
    resources: dict[str, AmountFields] = msgspec.field(default_factory=dict)
    tag_specification: ImageTagFields | None = None
    canonical_go_repository: str = ""
    binary_build_commands: str = ""
    test_binary_build_commands: str = ""
    rpm_build_commands: str = ""
    rpm_build_location: str = ""
    operator: Any = None
    prowgen: Any = None
    tests: Any = None
