# SPDX-License-Identifier: Apache-2.0
"""The options of ``okd-payload release mirror``, and what they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.errors import InputError
from okd_payload.oci.location import Location, parse_location
from okd_payload.release.mirror.targets import (
    DEFAULT_DISK_TARGET,
    MirrorTarget,
    parse_target,
    refuse_s3,
)

_FOLDER = click.Path(file_okay=False, path_type=Path)
_INSTRUCTIONS = ("icsp", "idms", "itms", "none")


class MirrorRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    release: str
    targets: tuple[MirrorTarget, ...]
    typed_targets: tuple[str, ...]
    """The targets that were named, as they were written."""
    release_target: Location | None
    skip_release: bool
    only_print: bool
    dry_run: bool
    instructions: str
    instructions_folder: Path | None
    signatures_folder: Path | None
    signature_stores: tuple[str, ...]


_target_options = option_group(
    click.option(
        "--from",
        "from_release",
        default="",
        metavar="RELEASE",
        help="The release, instead of as an argument.",
    ),
    click.option(
        "--to",
        multiple=True,
        metavar="REPOSITORY",
        help="Where the images go: HOST/PATH, file://PATH or oci:DIR; may be given more than once.",
    ),
    click.option(
        "--to-dir",
        type=_FOLDER,
        help="The directory for file:// targets, by default file://openshift/release.",
    ),
    click.option(
        "--to-release-image",
        default="",
        metavar="LOCATION",
        help="Where the release image goes, instead of to the other images.",
    ),
    click.option("--skip-release-image", is_flag=True, help="Leave the release image out."),
    click.option(
        "--keep-manifest-list", is_flag=True, help="Has no effect: indexes are always kept."
    ),
)
_output_options = option_group(
    click.option(
        "--to-mirror", is_flag=True, help="Only print where each image would come from and go."
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing."),
    click.option(
        "--print-mirror-instructions",
        type=click.Choice(_INSTRUCTIONS),
        default="icsp",
        show_default=True,
        help="The kind of object to print that tells clusters of the mirror.",
    ),
    click.option(
        "--instructions-to-dir",
        type=_FOLDER,
        help="Write mirror sets, a part of install-config, and signatures here.",
    ),
    click.option(
        "--release-image-signature-to-dir",
        type=_FOLDER,
        help="Write the signatures of the release here, as ConfigMaps; with --to-dir"
        " by default into its folder config.",
    ),
    click.option(
        "--signature-store",
        multiple=True,
        metavar="STORE",
        help="Where signatures are, instead of where the release says: a URL or a folder.",
    ),
)
_refused_options = option_group(
    click.option(
        "--apply-release-image-signature", is_flag=True, help="Refused: there is no cluster."
    ),
    click.option("--overwrite", is_flag=True, help="Goes with --apply-release-image-signature."),
    click.option(
        "--to-image-stream", default="", metavar="NAME", help="Refused: there is no cluster."
    ),
)
mirror_options = option_group(_target_options, _output_options, _refused_options)
"""Every option of the command but those about releases, registries and the output format."""


def read_mirror_request(release: str | None, options: dict[str, Any]) -> MirrorRequest:
    """Take what is asked for out of ``options``. Raises InputError."""
    _refuse(options)
    folder = options.pop("to_dir")
    typed, to_release = options.pop("to"), options.pop("to_release_image")
    only_print, skip_release = options.pop("to_mirror"), options.pop("skip_release_image")
    if skip_release and to_release:
        raise InputError("--skip-release-image and --to-release-image may not both be specified")
    signatures = options.pop("release_image_signature_to_dir")
    if signatures is None and folder is not None:
        signatures = folder / "config"
    options.pop("keep_manifest_list")
    return MirrorRequest(
        release=_read_release(release, options.pop("from_release")),
        targets=_read_targets(typed, folder, only_print=only_print),
        typed_targets=(*typed, *([to_release] if to_release else [])),
        release_target=_read_release_target(to_release, folder),
        skip_release=skip_release,
        only_print=only_print,
        dry_run=options.pop("dry_run"),
        instructions=options.pop("print_mirror_instructions"),
        instructions_folder=options.pop("instructions_to_dir"),
        signatures_folder=signatures,
        signature_stores=options.pop("signature_store"),
    )


def _read_release(argument: str | None, option: str) -> str:
    if argument and option:
        raise InputError("you may not specify an argument and --from")
    if not argument and not option:
        raise InputError(
            "must specify a release image with --from", hint="or as the argument of the command"
        )
    return argument or option


def _read_targets(
    typed: tuple[str, ...], folder: Path | None, *, only_print: bool
) -> tuple[MirrorTarget, ...]:
    if not typed and folder is None and not only_print:
        raise InputError(
            "must specify an image repository or image stream to mirror the release to",
            hint="give --to HOST/PATH or --to oci:DIR, or a directory with --to-dir",
        )
    texts = typed or ((DEFAULT_DISK_TARGET,) if folder else ("openshift/release",))
    return tuple(parse_target(text, folder=folder or Path()) for text in dict.fromkeys(texts))


def _read_release_target(text: str, folder: Path | None) -> Location | None:
    if not text:
        return None
    refuse_s3(text, option="--to-release-image")
    location = parse_location(text, folder=folder or Path())
    if location.digest:
        raise InputError(
            "--to-release-image cannot say the digest: it is that of the release",
            hint="name a repository, or a tag in it",
        )
    return location


def _refuse(options: dict[str, Any]) -> None:
    """Say why some of oc's options are not taken, and what does the same. Raises InputError."""
    apply, overwrite = options.pop("apply_release_image_signature"), options.pop("overwrite")
    if overwrite and not apply:
        raise InputError(
            "--overwrite is only valid when --apply-release-image-signature is specified"
        )
    if apply:
        raise InputError(
            "--apply-release-image-signature needs a cluster, which this program does not speak to",
            hint="write the signatures with --release-image-signature-to-dir DIR, and then run"
            " `kubectl apply -f DIR`",
        )
    if options.pop("to_image_stream"):
        raise InputError(
            "--to-image-stream makes a cluster import the images, which this program does not"
            " speak to",
            hint="mirror to the cluster's registry with --to HOST/NAMESPACE/NAME: it makes the"
            " image stream of that name itself",
        )
