# SPDX-License-Identifier: Apache-2.0
"""What whoever runs a build decides about a stream, in place of what its file says.

A pipeline builds one stream in several ways: from a branch, under a name, into repositories of
its own. These are the parameters that pipelines have; everything else is said in the file.
"""

from __future__ import annotations

import msgspec

from okd_payload.catalog.stream import Publish, Stream
from okd_payload.errors import InputError


class StreamParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Values for a stream; what is empty stays as the file says."""

    branch: str = ""
    """Of every component that does not pin its own ref."""
    release_name: str = ""
    """A name, or a pattern of one."""
    content: str = ""
    """Repository of the component images."""
    releases: str = ""
    """Repository of the release images."""


def apply_parameters(stream: Stream, parameters: StreamParameters) -> Stream:
    """``stream`` with the values of ``parameters``. Raises InputError for no repository."""
    git, release, publish = stream.git, stream.release, stream.publish
    if parameters.branch:
        git = msgspec.structs.replace(git, branch=parameters.branch)
    if parameters.release_name:
        release = msgspec.structs.replace(release, name=parameters.release_name)
    try:
        publish = Publish(
            content=parameters.content or publish.content,
            releases=parameters.releases or publish.releases,
        )
    except ValueError as error:
        raise InputError(
            f"--{error}", hint="write HOST/PATH, as in quay.io/me/okd-content"
        ) from error
    return msgspec.structs.replace(stream, git=git, release=release, publish=publish)
