# SPDX-License-Identifier: Apache-2.0
"""Looking into a layout folder past the code under test."""

from __future__ import annotations

import json
import random

from okd_payload import process
from okd_payload.oci.digest import hex_of

BIG = random.Random(7).randbytes(3 * 1024 * 1024 + 17)
NAME = "org.opencontainers.image.ref.name"


def blob_path(layout, digest):
    """Where a blob lies."""
    return layout.path / "blobs" / "sha256" / hex_of(digest)


def index_of(layout):
    """The index as it stands on the disk."""
    return json.loads((layout.path / "index.json").read_bytes())


def scratch_of(layout):
    """Every file of a writer that is neither a lock nor a lease."""
    files = (layout.path / ".writers").rglob("*")
    return [path for path in files if path.is_file() and path.suffix != ".lock"]


async def read_blob(layout, descriptor):
    """The content of a blob, by the code under test."""
    return b"".join([chunk async for chunk in layout.blobs.read(descriptor)])


async def run_program(*command):
    """What the program printed."""
    outcome = await process.run(command)
    assert outcome.code == 0, outcome.errors
    return outcome.output
