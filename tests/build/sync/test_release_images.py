# SPDX-License-Identifier: Apache-2.0
"""Releases as lists of images, whatever they are written in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from okd_payload.build.sync.release_images import read_release_file, same_repository
from okd_payload.errors import InvalidDocument

STREAM = {
    "kind": "ImageStream",
    "apiVersion": "image.openshift.io/v1",
    "metadata": {"name": "4.16.0"},
    "spec": {
        "tags": [
            {
                "name": "etcd",
                "annotations": {
                    "io.openshift.build.source-location": "https://git.test/etcd",
                    "io.openshift.build.commit.id": "1" * 40,
                    "io.openshift.build.commit.ref": "main",
                },
                "from": {"kind": "DockerImage", "name": f"quay.test/a@sha256:{'a' * 64}"},
            },
            {"name": "cli", "annotations": {"io.openshift.build.commit.id": "short"}},
        ]
    },
}


def write(folder: Path, value: object) -> Path:
    """A file with ``value`` in it."""
    path = folder / "release.json"
    path.write_text(json.dumps(value))
    return path


def test_an_image_stream_and_the_json_of_info_say_the_same(tmp_path):
    """Tags in order, with source, commit and digest as far as they are told."""
    plain = read_release_file(write(tmp_path, STREAM))
    info = {"image": "x", "metadata": {"version": "4.16.1"}, "references": STREAM}
    printed = read_release_file(write(tmp_path, info))
    assert plain.images == printed.images
    assert (plain.name, printed.name) == ("4.16.0", "4.16.1")
    cli, etcd = plain.images
    assert (cli.commit, cli.digest, cli.location) == ("", "", "")
    assert (etcd.location, etcd.commit, etcd.ref) == ("https://git.test/etcd", "1" * 40, "main")
    assert etcd.digest == f"sha256:{'a' * 64}"


def test_a_stream_of_a_cluster_has_what_it_observed(tmp_path):
    """Without wanted tags those count that there are images for."""
    image = f"registry.test/o/scos@sha256:{'b' * 64}"
    stream = {
        **STREAM,
        "spec": {},
        "status": {
            "dockerImageRepository": "registry.test/o/scos",
            "tags": [
                {"tag": "etcd", "items": [{"dockerImageReference": image}]},
                {"tag": "empty", "items": None},
            ],
        },
    }
    (etcd,) = read_release_file(write(tmp_path, stream)).images
    assert (etcd.tag, etcd.pull_spec) == ("etcd", image)


@pytest.mark.parametrize("text", ["", "kind: Pod\n", "[1]\n", "a: [\n"])
def test_other_files_are_refused(tmp_path, text):
    """The error names the file."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InvalidDocument, match=r"x\.yaml"):
        read_release_file(path)
    with pytest.raises(InvalidDocument, match=r"none\.yaml"):
        read_release_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://github.com/openshift/etcd", "https://GitHub.com/openshift/etcd.git/", True),
        ("git@github.com:openshift/etcd.git", "https://github.com/openshift/etcd", True),
        ("ssh://git@github.com/openshift/etcd", "git://github.com/openshift/etcd", True),
        ("https://github.com/openshift/etcd", "https://github.com/me/etcd", False),
        ("https://github.com/openshift/etcd", "https://git.test/openshift/etcd", False),
        ("https://[broken/etcd", "https://github.com/openshift/etcd", False),
    ],
)
def test_repositories_are_the_same_however_they_are_written(one, other, same):
    """Scheme, user, case of the host and the suffix make no difference."""
    assert same_repository(one, other) is same
