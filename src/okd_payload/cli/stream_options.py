# SPDX-License-Identifier: Apache-2.0
"""The options that name a stream and its inputs, shared by all commands that plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.source.remote import redacted

REPOSITORY_VARIABLE = "OKD_PAYLOAD_REPOSITORY"


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of ``stream_options`` and ``change_options`` were set to."""

    stream: Path | None
    components: tuple[str, ...] = ()
    """Overrides as written: ``NAME=PATH`` or ``NAME=URL@REF``."""
    dockerfiles: tuple[str, ...] = ()
    substitutions: tuple[str, ...] = ()
    lock: Path | None = None
    platform: str = ""
    from_release: str = ""
    with_dependants: bool = False
    forced: tuple[str, ...] = ()
    content: str = ""
    releases: str = ""
    changes: tuple[str, ...] = ()
    """Changed repositories as written: ``ORG/REPO@REF``, ``ORG/REPO=SOURCE`` or ``URL@REF``."""
    depth: int | None = None
    only: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    snapshot: str = ""
    """``REPOSITORY@DIGEST`` of a stream that was frozen; instead of ``stream``."""
    repository: str = ""
    """Where the stream's images are; empty for the layout in the state folder."""

    def to_words(self) -> list[str]:
        """The options that decide what is built, as on a command line, and without secrets."""
        given = (
            ("--from-release", [self.from_release]),
            ("--component", [redacted(text) for text in self.components]),
            ("--change", [redacted(text) for text in self.changes]),
            ("--depth", [] if self.depth is None else [str(self.depth)]),
            ("--only", self.only),
            ("--skip", self.skipped),
            ("--dockerfile", self.dockerfiles),
            ("--substitute", self.substitutions),
            ("--content", [self.content]),
            ("--releases", [self.releases]),
            ("--platform", [self.platform]),
            ("--snapshot", [self.snapshot]),
        )
        words = [
            word for name, values in given for value in values if value for word in (name, value)
        ]
        return [*words, "--with-dependants"] if self.with_dependants else words


def take_stream_options(options: dict[str, Any]) -> StreamOptions:
    """Take what belongs to ``StreamOptions`` out of ``options``."""
    names = [name for name in StreamOptions.__struct_fields__ if name in options]
    return StreamOptions(**{name: options.pop(name) for name in names})


input_options = option_group(
    click.option(
        "--component",
        "components",
        multiple=True,
        metavar="NAME=SOURCE",
        help="Build NAME from a folder, or from URL@REF, instead of its own source.",
    ),
    click.option(
        "--dockerfile",
        "dockerfiles",
        multiple=True,
        metavar="[NAME=]PATH",
        help="Build what --component names from this Dockerfile.",
    ),
    click.option(
        "--substitute",
        "substitutions",
        multiple=True,
        metavar="PATTERN=IMAGE",
        help="Let references that fit PATTERN mean IMAGE, whatever the stream says.",
    ),
    click.option(
        "--lock",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Take commits and digests from this lock file.",
    ),
    click.option("--platform", default="", metavar="OS/ARCH", help="Build for another platform."),
)
"""The options that say what a stream is built from; see ``StreamOptions``."""


stream_options = option_group(
    click.argument("stream", required=False, type=click.Path(exists=True, path_type=Path)),
    input_options,
    click.option(
        "--snapshot",
        default="",
        metavar="REPOSITORY@DIGEST",
        help="Instead of STREAM: what `step snapshot` made, exactly as it was planned.",
    ),
)
"""The options of a command that plans a stream; see ``StreamOptions``."""


repository_option = option_group(
    click.option(
        "--repository",
        default="",
        envvar=REPOSITORY_VARIABLE,
        metavar="REPOSITORY",
        help="Where the images of the stream are, HOST/PATH or oci:PATH; by default in the "
        "state folder.",
    ),
)
"""The option that says where the images of a stream are; see ``StreamOptions``."""


change_options = option_group(
    click.option(
        "--from-release",
        default="",
        metavar="RELEASE",
        help="Build only what --component names, on top of this release.",
    ),
    click.option(
        "--with-dependants", is_flag=True, help="With --from-release: also what builds on it."
    ),
    click.option(
        "--force",
        "forced",
        multiple=True,
        metavar="TAG",
        help="Make this image although nothing changed; `all` for every one.",
    ),
)
"""The options that say what to make, and what to leave; see ``StreamOptions``."""


impact_options = option_group(
    click.option(
        "--change",
        "changes",
        multiple=True,
        metavar="REPOSITORY",
        help="Build everything that depends on ORG/REPO@REF, ORG/REPO=FOLDER or URL@REF with it.",
    ),
    click.option(
        "--depth",
        type=click.IntRange(min=0),
        metavar="STEPS",
        help="With --change: go no further from it.",
    ),
    click.option(
        "--only",
        multiple=True,
        metavar="NAME",
        help="With --change: build these components only; a glob may stand for several.",
    ),
    click.option(
        "--skip",
        "skipped",
        multiple=True,
        metavar="NAME",
        help="With --change: leave these components as they are.",
    ),
)
"""The options that change a repository for all that depend on it; see ``StreamOptions``."""
