# SPDX-License-Identifier: Apache-2.0
"""The options of a build as words, for whoever wants to repeat it."""

from __future__ import annotations

from okd_payload.cli.stream_options import StreamOptions


def test_what_decides_the_images_is_repeated():
    """Every option comes back as it was written; what only this machine knows does not."""
    options = StreamOptions(
        stream=None,
        components=("etcd=./etcd", "oc=https://example.com/oc@main"),
        dockerfiles=("Dockerfile.okd",),
        substitutions=("fedora:*=quay.io/fedora/fedora:{1}",),
        platform="linux/arm64",
        from_release="quay.io/okd/release:1",
        with_dependants=True,
        forced=("etcd",),
    )
    assert options.to_words() == [
        *("--from-release", "quay.io/okd/release:1"),
        *("--component", "etcd=./etcd", "--component", "oc=https://example.com/oc@main"),
        *("--dockerfile", "Dockerfile.okd"),
        *("--substitute", "fedora:*=quay.io/fedora/fedora:{1}"),
        *("--platform", "linux/arm64", "--with-dependants"),
    ]
    assert StreamOptions(stream=None).to_words() == []


def test_passwords_are_not_repeated():
    """A report is shown to everybody."""
    options = StreamOptions(stream=None, components=("oc=https://me:secret@example.com/oc@main",))
    assert options.to_words() == ["--component", "oc=https://example.com/oc@main"]
