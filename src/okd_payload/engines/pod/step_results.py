# SPDX-License-Identifier: Apache-2.0
"""What the ``step`` commands tell as results, for those who run them and those who render them."""

from __future__ import annotations

SNAPSHOT_RESULTS = {
    "snapshot": "The snapshot as REPOSITORY@DIGEST.",
    "digest": "Its digest.",
    "stream": "The name of the stream.",
}
COMPONENT_RESULTS = {
    "digest": "The digest of the image.",
    "key": "Its build key; empty for what is not built from a source.",
    "built": "Whether it was made now (true), or found by its key (false).",
}
RELEASE_RESULTS = {
    "digest": "The digest of the release image.",
    "name": "The name of the release.",
    "pull-spec": "Where it is pulled from: REPOSITORY@DIGEST.",
}
