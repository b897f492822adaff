# SPDX-License-Identifier: Apache-2.0
"""The options of ``release new``, and what they ask for as values."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.release.options import split_commas
from okd_payload.errors import InputError
from okd_payload.oci.location import LayoutLocation, Location, parse_location
from okd_payload.oci.reference import parse_reference
from okd_payload.release.metadata import parse_metadata_argument
from okd_payload.release.new.mappings import parse_mappings, read_mapping_files
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.new.request import NewRequest
from okd_payload.release.semver import parse_version
from okd_payload.release.times import from_seconds, parse_time
from okd_payload.release.versions import ComponentVersions, parse_versions

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_SOURCES = (
    *("from_image_stream", "from_image_stream_file", "from_repository"),
    *("from_release", "from_dir"),
)


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """Where a new release goes; of folder, file and image the first one that is given."""

    folder: Path | None
    file: str
    image: Location | None
    signature: Path | None
    kept: Path | None
    """Where the operators' manifests go as they came."""
    dry_run: bool
    format: str | None
    """Print only the merged stream, in this format."""


_source_options = option_group(
    click.argument("mappings", nargs=-1, metavar="[NAME=PULLSPEC]..."),
    click.option("--mapping-file", type=_FILE, multiple=True, help="Files of NAME=PULLSPEC."),
    click.option(
        "-f",
        "--from-image-stream-file",
        default="",
        metavar="FILE",
        help="Tags of an ImageStream, YAML or JSON; an https:// address, - for standard input.",
    ),
    click.option(
        "--from-image-stream",
        default="",
        metavar="NAME",
        help="Tags of an ImageStream in an OpenShift cluster.",
    ),
    click.option(
        "-n",
        "--namespace",
        default="",
        help="The namespace of that stream; else that of the context.",
    ),
    click.option(
        "--kubeconfig", type=_FILE, help="How to reach that cluster; else KUBECONFIG says it."
    ),
    click.option("--context", default="", help="Which cluster of the kubeconfig it is."),
    click.option(
        "--from-repository",
        default="",
        metavar="LOCATION",
        help="Tags of a repository: oci:DIR, or one of a registry.",
    ),
    click.option(
        "--published-as",
        default="",
        metavar="REPOSITORY",
        help="With --from-repository: the repository that pull specs name instead.",
    ),
    click.option(
        "--from-release", default="", metavar="LOCATION", help="Images of another release."
    ),
    click.option(
        "--from-dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Manifests in one folder per operator, with image-references beside them.",
    ),
    click.option(
        "--reference-mode",
        type=click.Choice(("public", "source")),
        default="public",
        help="Name images in the stream's public repository, or where they came from.",
    ),
    click.option("--exclude", multiple=True, metavar="TAG", help="Leave these tags out."),
    click.option(
        "--include",
        multiple=True,
        metavar="TAG",
        help="Keep these tags although no operator lists them.",
    ),
)
_content_options = option_group(
    click.option("--name", default="", help="The version of the release."),
    click.option("--previous", multiple=True, help="Versions that this one may follow."),
    click.option("--next", "following", multiple=True, help="Versions that may follow it."),
    click.option("--metadata", metavar="JSON", help="More for release-metadata."),
    click.option(
        "--component-versions",
        default="",
        metavar="KEY=VERSION,...",
        help="Versions that manifests may name, unless a listed image declares another.",
    ),
    click.option("--component-versions-display-names", default="", metavar="KEY=NAME,..."),
    click.option(
        "--component-version-key",
        multiple=True,
        metavar="KEY",
        help="A component that images may declare, beyond those that releases report.",
    ),
    click.option(
        "--allow-missing-images",
        is_flag=True,
        help="Go on when an operator lists an image that is not there.",
    ),
    click.option("--skip-manifest-check", is_flag=True, help="Take manifests as they are."),
    click.option(
        "--created",
        default="",
        metavar="TIME",
        envvar="SOURCE_DATE_EPOCH",
        help="When it counts as created, instead of the newest time of its inputs.",
    ),
)
_output_options = option_group(
    click.option("--to-image", default="", metavar="LOCATION", help="Push the image here."),
    click.option("--to-dir", type=_FOLDER, help="Write the files of the payload here."),
    click.option(
        "--to-file",
        default="",
        metavar="FILE",
        help="Write the compressed archive of the payload here; - for standard output.",
    ),
    click.option("--to-image-base", default="", metavar="PULLSPEC", help="The base image."),
    click.option("--to-image-base-tag", default="", metavar="TAG", help="The base's tag."),
    click.option(
        "--keep-manifest-list",
        is_flag=True,
        help="Make a release for every platform of the base image.",
    ),
    click.option(
        "--to-signature", type=_NEW_FILE, help="Write the message that a signature signs."
    ),
    click.option(
        "--mirror",
        default="",
        metavar="REPOSITORY",
        help="Copy the images of the release here, and name them there.",
    ),
    click.option("--dir", "kept", type=_FOLDER, help="Keep the operators' manifests here."),
    click.option("--dry-run", is_flag=True, help="Push nothing."),
)
new_options = option_group(_source_options, _content_options, _output_options)
"""Every option of the command but those about registries and the output format."""


def read_request(options: dict[str, Any]) -> NewRequest:
    """Take what is asked for, but for the stream, out of ``options``. Raises InputError."""
    given = [name for name in _SOURCES if options[name]]
    mappings = read_mapping_files(options.pop("mapping_file")) | parse_mappings(
        options.pop("mappings")
    )
    if len(given) > 1:
        raise InputError(
            "only one of --from-image-stream, --from-image-stream-file, --from-repository,"
            " --from-release, or --from-dir may be specified"
        )
    if not given and not mappings:
        raise InputError(
            "must specify image mappings when no other source is defined",
            hint="give --from-image-stream-file, --from-image-stream, --from-repository,"
            " --from-release or --from-dir",
        )
    _check_published_as(options["from_repository"], options["published_as"])
    metadata = options.pop("metadata")
    return NewRequest(
        mode=options.pop("reference_mode"),
        repository=options.pop("from_repository"),
        published_as=options.pop("published_as"),
        release=options.pop("from_release"),
        folder=options.pop("from_dir"),
        mappings=mappings,
        excluded=frozenset(split_commas(options.pop("exclude"))),
        previous=_read_versions(options.pop("previous")),
        following=_read_versions(options.pop("following")),
        metadata=None if metadata is None else parse_metadata_argument(metadata),
        base=options.pop("to_image_base"),
        base_tag=options.pop("to_image_base_tag"),
        keep_lists=options.pop("keep_manifest_list"),
        mirror=_read_mirror(options.pop("mirror")),
        options=_read_release_options(options),
    )


def read_outputs(options: dict[str, Any]) -> Outputs:
    """Take where it all goes out of ``options``. Raises InputError."""
    image, signature = options.pop("to_image"), options.pop("to_signature")
    if signature and not image:
        raise InputError("--to-signature requires --to-image")
    location = parse_location(image) if image else None
    if location and location.digest:
        raise InputError("--to-image may only point to a repository or tag, not a digest")
    if signature and isinstance(location, LayoutLocation):
        raise InputError("a signature names a repository of a registry, not a layout")
    return Outputs(
        folder=options.pop("to_dir"),
        file=options.pop("to_file"),
        image=location,
        signature=signature,
        kept=options.pop("kept"),
        dry_run=options.pop("dry_run"),
        format=options.pop("output"),
    )


def _check_published_as(repository: str, published_as: str) -> None:
    if published_as and not repository:
        raise InputError("--published-as needs --from-repository")
    if repository and not published_as and isinstance(parse_location(repository), LayoutLocation):
        raise InputError(
            f"no cluster can pull from {repository}",
            hint="name the repository that the images will be published to with --published-as",
        )


def _read_release_options(options: dict[str, Any]) -> ReleaseOptions:
    name = options.pop("name")
    if name:
        parse_version(name)
    return ReleaseOptions(
        name=name,
        included=frozenset(split_commas(options.pop("include"))),
        allow_missing_images=options.pop("allow_missing_images"),
        check_manifests=not options.pop("skip_manifest_check"),
        component_versions=_read_component_versions(options),
        version_keys=frozenset(options.pop("component_version_key")),
        created=_read_created(options.pop("created")),
    )


def _read_component_versions(options: dict[str, Any]) -> ComponentVersions:
    declared = parse_versions(
        options.pop("component_versions"), options.pop("component_versions_display_names")
    )
    if declared.problems:
        raise InputError(f"--component-versions is invalid: {'; '.join(declared.problems)}")
    return declared.versions


def _read_versions(texts: tuple[str, ...]) -> tuple[str, ...] | None:
    """None when the option was not given at all."""
    if not texts:
        return None
    versions = tuple(text for text in split_commas(texts) if text)
    for version in versions:
        parse_version(version)
    return versions


def _read_mirror(text: str) -> str:
    if text and (parse_reference(text).tag or parse_reference(text).digest):
        raise InputError("--mirror names a repository, without tag or digest")
    return text


def _read_created(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = from_seconds(int(text)) if text.isdecimal() else parse_time(text)
    except (ValueError, OverflowError, OSError):  # a year that calendars do not have
        moment = None
    if moment is None:
        raise InputError(
            f"--created: {text!r} is no time", hint="write 2026-01-02T03:04:05Z, or seconds"
        )
    return moment.replace(microsecond=0)
