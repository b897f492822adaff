# SPDX-License-Identifier: Apache-2.0
"""What mirroring tells of images that did not come to their target."""

from __future__ import annotations

from okd_payload.release.mirror.report import MirroredImage, MirrorReport, failure_lines


def _image(name, error=""):
    return MirroredImage(
        name=name, source=f"q.test/r@{name}", target=f"m.test/r:{name}", digest=name, error=error
    )


def test_many_failures_of_one_reason_are_told_by_number():
    """A host that is away is one fault, however many images it keeps from their places."""
    away = "reading m.test/r@{}: given up: no connection"
    images = [_image(name, away.format(name)) for name in "abcdef"]
    images += [_image("g"), _image("h", "the disk is full")]
    report = MirrorReport(
        version="4.20.0", digest="sha256:00", update_images=(), images=tuple(images)
    )
    assert failure_lines(report) == [
        "a to m.test/r:a: reading m.test/r@a: given up: no connection",
        "b to m.test/r:b: reading m.test/r@b: given up: no connection",
        "c to m.test/r:c: reading m.test/r@c: given up: no connection",
        "h to m.test/r:h: the disk is full",
        "3 more images: no connection",
    ]
