# SPDX-License-Identifier: Apache-2.0
"""``okd-payload publish``: what is said before anything is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from small_stream import STREAM, write_stream

from okd_payload.oci.layout import LayoutRepository
from okd_payload.testing.images import push_image


@pytest.fixture
def releases(tmp_path: Path) -> LayoutRepository:
    """The releases of the stream ``small``; the one that is there is no release."""
    releases = LayoutRepository(tmp_path / "state" / "streams" / "small" / "releases")
    asyncio.run(push_image(releases, tag="4.20.0", layers=[bytes(1024)]))
    return releases


def test_an_unknown_release_gets_the_nearest_names(run_cli, tmp_path: Path, releases):
    """The name is one that `build` printed."""
    code, out, err = run_cli("publish", write_stream(tmp_path), "4.20.1")
    assert (code, out) == (2, "")
    assert "hint: did you mean 4.20.0?" in err


def test_without_releases_the_command_that_makes_them(run_cli, tmp_path: Path):
    """There is nothing to publish yet."""
    code, _, err = run_cli("publish", write_stream(tmp_path), "4.20.1")
    assert code == 2
    assert "okd-payload build" in err


def test_an_ordinary_image_is_not_published(run_cli, tmp_path: Path, releases):
    """Somebody put it among the releases."""
    code, _, err = run_cli("publish", write_stream(tmp_path), "4.20.0")
    assert code == 1
    assert "did not contain an image-references file" in err


def test_a_stream_that_names_no_repository(run_cli, tmp_path: Path, releases):
    """Where to publish has to be said somewhere."""
    text = "".join(line for line in STREAM.splitlines(keepends=True) if "publish" not in line)
    code, _, err = run_cli("publish", write_stream(tmp_path, stream=text), "4.20.0")
    assert code == 2
    assert "--content is missing" in err
    assert "`publish.content`" in err


def test_targets_are_repositories(run_cli, tmp_path: Path, releases):
    """A tag would mean nothing: every image gets one of its own."""
    words = ["publish", write_stream(tmp_path), "4.20.0", "--content", "quay.io/me/okd:latest"]
    code, _, err = run_cli(*words)
    assert code == 2
    assert "--content is a repository" in err


def test_a_stream_is_a_file_or_the_name_of_what_was_built(run_cli, tmp_path: Path, releases):
    """Without a file, the repositories that the build was told are needed."""
    code, _, err = run_cli("publish", "smal", "4.20.0")
    assert code == 2
    assert "did you mean small?" in err
    code, _, err = run_cli("publish", "small", "4.20.0")
    assert "--content is missing" in err
    given = ["--content", "quay.io/me/okd", "--releases", "quay.io/me/release"]
    code, _, err = run_cli("publish", "small", "4.20.0", *given)
    assert "did not contain an image-references file" in err
