# SPDX-License-Identifier: Apache-2.0
"""Names that release images, their labels and their annotations agree on."""

from __future__ import annotations

from typing import Final

OPERATOR: Final = "io.openshift.release.operator"
"""Label of an image whose ``manifests/`` belong in the payload; any value counts but none."""
RELEASE: Final = "io.openshift.release"
"""Label of a release image: its version."""
BASE_DIGEST: Final = "io.openshift.release.base-image-digest"
"""Label of a release image: the digest of the image it was put on."""
OVERRIDE: Final = "io.openshift.release.override"
"""Annotation of a tag that was replaced by hand."""
COMMIT_ID: Final = "io.openshift.build.commit.id"
COMMIT_REF: Final = "io.openshift.build.commit.ref"
SOURCE: Final = "io.openshift.build.source-location"
VERSIONS: Final = "io.openshift.build.versions"
DISPLAY_NAMES: Final = "io.openshift.build.version-display-names"
BUILD_LABELS: Final = (COMMIT_ID, COMMIT_REF, SOURCE)
"""Labels that are copied into ``image-references`` for every image, empty where absent."""
FROM_RELEASE: Final = "release.openshift.io/from-release"
"""Annotation of ``image-references``: the release it was derived from."""
FROM_IMAGE_STREAM: Final = "release.openshift.io/from-image-stream"
"""Annotation of ``image-references``: namespace and name of the cluster's stream it was made of."""
ARCHITECTURE: Final = "release.openshift.io/architecture"
"""Key of a release's metadata: ``multi`` when it is for several architectures."""

BASE_TAG: Final = "cluster-version-operator"
"""The image that a release image is put on, unless told otherwise."""
FOLDER: Final = "release-manifests"
IMAGE_REFERENCES: Final = "image-references"
RELEASE_METADATA: Final = "release-metadata"
