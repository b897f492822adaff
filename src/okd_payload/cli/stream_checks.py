# SPDX-License-Identifier: Apache-2.0
"""Options of a stream that say nothing without another, or contradict each other."""

from __future__ import annotations

from okd_payload.cli.stream_options import StreamOptions
from okd_payload.errors import InputError

_CHANGE_EXAMPLE = "okd-payload build --change openshift/api@refs/pull/123/head --depth 1"
_EXAMPLE = "okd-payload build --from-release RELEASE --component NAME=FOLDER"


def check_options(options: StreamOptions) -> None:
    """Refuse options that say nothing without another. Raises InputError."""
    if options.snapshot:
        _check_snapshot(options)
    if options.from_release and not (options.components or options.changes):
        raise InputError("--from-release builds nothing without --component", hint=_EXAMPLE)
    if options.changes and (options.components or options.with_dependants):
        raise InputError(
            "--change finds what depends on it by itself, and goes neither with --component nor "
            "with --with-dependants",
            hint="change a component's own repository with --change ORG/REPO=FOLDER",
        )
    if not options.changes and (options.depth is not None or options.only or options.skipped):
        raise InputError("--depth, --only and --skip go with --change", hint=_CHANGE_EXAMPLE)
    if options.with_dependants and not options.from_release:
        raise InputError("--with-dependants goes with --from-release", hint=_EXAMPLE)


def _check_snapshot(options: StreamOptions) -> None:
    """Refuse what would change a snapshot: it is what was planned. Raises InputError."""
    kept = StreamOptions(
        stream=None,
        snapshot=options.snapshot,
        forced=options.forced,
        repository=options.repository,
    )
    if options != kept:
        raise InputError(
            "--snapshot is all that a build takes: nothing of it can be changed here",
            hint="give these options to `okd-payload step snapshot`, and use what it prints",
        )


def no_stream_to_change() -> InputError:
    """The error when a change is to be followed, and nobody says through what."""
    return InputError(
        "who depends on a change, only a stream file or a release says, and there is none",
        hint="name one, or a release whose images say what they were built from, with "
        "--from-release",
    )


def no_stream(options: StreamOptions) -> InputError:
    """The error when nothing says what to build."""
    if options.with_dependants:
        return InputError(
            "what is built on a component, only a stream file says, and there is none",
            hint="name one, or leave --with-dependants away",
        )
    return InputError(
        "no stream was named, and there is no stream.yaml here",
        hint="name one, as in `okd-payload build examples/quickstart`, or change a release: "
        f"`{_EXAMPLE}`",
    )
