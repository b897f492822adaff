# SPDX-License-Identifier: Apache-2.0
"""The files of a payload, for a folder or for standard output: byte for byte as they are.

``oc`` parses manifests and writes them anew, which loses comments, order and whatever it cannot
read. Here nothing is parsed, so that what is extracted can be compared, signed and made into a
release again.
"""

from __future__ import annotations

from okd_payload.errors import ReleaseError, nearest_names
from okd_payload.release import labels
from okd_payload.release.load import ReleaseContent, parse_release
from okd_payload.release.output_folder import NewFile
from okd_payload.release.times import format_time, parse_time


def all_files(content: ReleaseContent) -> list[NewFile]:
    """Every file of ``content``, in byte order of their names.

    Raises ReleaseError when it is no release; what is in its files does not matter.
    """
    if labels.IMAGE_REFERENCES not in content.files:
        parse_release(content)
    return [new_file(content, name) for name in sorted(content.files)]


def new_file(content: ReleaseContent, name: str, text: bytes | None = None) -> NewFile:
    """The file ``name`` of ``content``, or ``text`` in its place."""
    return NewFile(
        name=name,
        content=content.files[name] if text is None else text,
        mtime_ns=content.times.get(name, 0),
    )


def find_file(content: ReleaseContent, name: str) -> bytes:
    """What the file ``name`` holds. Raises ReleaseError."""
    found = content.files.get(name)
    if found is None:
        near = nearest_names(name, content.files)
        raise ReleaseError(
            f"image did not contain {name}",
            hint=f"did you mean {' or '.join(near)}?" if near else "",
        )
    return found


def describe_extraction(content: ReleaseContent, *, by_digest: bool) -> str:
    """The first line of the result, in the words of ``oc``.

    The digest is told where the release was not asked for by it.
    """
    if content.image is None:
        return f"Extracted release payload from {content.origin}"
    digest = "" if by_digest else f" from digest {content.image.referenced.digest}"
    created = parse_time(content.image.config.created)
    when = f" created at {format_time(created)}" if created else ""
    return f"Extracted release payload{digest}{when}"
